/* The limit that Weir is measured against: reads a request's body and answers 200 with as many
 * bytes as Weir does. `bare;` in a location. */
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

static ngx_str_t answer = ngx_string("{\"status\":\"ok\",\"accepted\":1}");

static void respond(ngx_http_request_t* r) {
  ngx_buf_t* buffer = ngx_calloc_buf(r->pool);
  ngx_chain_t out = {buffer, NULL};
  ngx_int_t rc;

  if (buffer == NULL) {
    ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
    return;
  }
  buffer->pos = answer.data;
  buffer->last = answer.data + answer.len;
  buffer->memory = 1;
  buffer->last_buf = 1;
  r->headers_out.status = NGX_HTTP_OK;
  r->headers_out.content_length_n = (off_t)answer.len;
  ngx_str_set(&r->headers_out.content_type, "application/json");
  r->headers_out.content_type_len = r->headers_out.content_type.len;
  rc = ngx_http_send_header(r);
  if (rc == NGX_OK) rc = ngx_http_output_filter(r, &out);
  ngx_http_finalize_request(r, rc);
}

static ngx_int_t handle(ngx_http_request_t* r) {
  ngx_int_t rc = ngx_http_read_client_request_body(r, respond);
  return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}

static char* set_bare(ngx_conf_t* cf, ngx_command_t* command, void* conf) {
  ngx_http_core_loc_conf_t* core = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
  (void)command;
  (void)conf;
  core->handler = handle;
  return NGX_CONF_OK;
}

static ngx_command_t commands[] = {
    {ngx_string("bare"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS, set_bare, 0, 0, NULL},
    ngx_null_command};

static ngx_http_module_t context = {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL};

ngx_module_t ngx_http_bare_module = {NGX_MODULE_V1, &context, commands, NGX_HTTP_MODULE,
                                     NULL,          NULL,     NULL,     NULL,
                                     NULL,          NULL,     NULL,     NGX_MODULE_V1_PADDING};

/* What nginx's own build would write into a file beside this one. */
ngx_module_t* ngx_modules[] = {&ngx_http_bare_module, NULL};
char* ngx_module_names[] = {"ngx_http_bare_module", NULL};
char* ngx_module_order[] = {NULL};
