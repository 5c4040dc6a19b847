// The sales system (source 003), in the browser: from the login to a sale, with its pages, its
// errors and the opinions of those who work with it.
#include "ctl/demo/visit.h"

namespace weir::demo {
namespace {

struct Page {
  const char* path;
  double weight;
  double seconds;  // to load, in the middle
};
constexpr Page kDashboard{"/dashboard", 0, 0.9};
constexpr Page kPages[] = {{"/vendas", 40, 0.7},    {"/vendas/nova", 22, 0.8},
                           {"/clientes", 14, 0.6},  {"/produtos", 12, 0.7},
                           {"/relatorios", 7, 3.4}, {"/configuracoes", 5, 0.5}};
constexpr Choice kPayments[] = {
    {"pix", 46}, {"cartao_credito", 30}, {"boleto", 14}, {"dinheiro", 10}};
constexpr Choice kFilters[] = {{"data", 50}, {"cliente", 25}, {"status", 17}, {"valor", 8}};
constexpr Choice kReports[] = {{"vendas_mes", 55}, {"comissoes", 25}, {"estoque", 20}};
constexpr Choice kFormats[] = {{"xlsx", 55}, {"csv", 30}, {"pdf", 15}};
constexpr Choice kCharts[] = {{"receita", 60}, {"vendas_por_hora", 25}, {"produtos", 15}};
constexpr Choice kFields[] = {{"cpf_cliente", 45}, {"quantidade", 35}, {"desconto", 20}};

Object browser_of(const Visit& visit) {
  return Object().text("browser", visit.person().platform).text("device", visit.person().device);
}

bool is_slow_machine(const Visit& visit) {
  return std::string_view(visit.person().device) == "phone";
}

void view(Visit& visit, const Page& page) {
  Random& chance = visit.chance();
  const double seconds = chance.around(page.seconds * (is_slow_machine(visit) ? 1.9 : 1), 0.45);
  visit.pass(8);
  Object properties = browser_of(visit);
  properties.text("page", page.path).whole("load_ms", static_cast<std::int64_t>(seconds * 1000));
  visit.track("page_view", properties);
  if (seconds > 5 && chance.happens(0.5)) {
    visit.pass(2);
    visit.track("rage_click", browser_of(visit).text("page", page.path));
  }
  if (seconds > 9) visit.track("timeout_request", browser_of(visit).text("endpoint", page.path));
}

void tell_errors(Visit& visit) {
  Random& chance = visit.chance();
  const bool is_firefox = std::string_view(visit.person().platform) == "Firefox";
  if (chance.happens(0.03))
    visit.track("erro_validacao", Object().text("campo", chance.one_of(kFields).name));
  if (!chance.happens(is_firefox ? 0.05 : 0.012)) return;
  visit.track("erro_frontend",
              browser_of(visit).text("error_type", is_firefox ? "layout" : "script"));
}

void sell(Visit& visit) {
  Random& chance = visit.chance();
  const bool is_power = visit.person().habit == Habit::power;
  visit.pass(5);
  visit.track("botao_nova_venda_clicado", browser_of(visit).text("origem", "dashboard"));
  view(visit, kPages[1]);
  if (chance.happens(is_slow_machine(visit) ? 0.4 : 0.22)) return;  // given up
  visit.pass(70);
  Object sale;
  sale.number("valor", chance.around(is_power ? 190 : 120, 0.7), 2);
  sale.whole("itens_count", 1 + chance.count(1.6));
  visit.track("venda_criada", sale.text("metodo_pagamento", chance.one_of(kPayments).name));
  if (chance.happens(0.06)) visit.track("venda_editada");
  if (chance.happens(0.025)) visit.track("venda_cancelada");
}

void search(Visit& visit) {
  Random& chance = visit.chance();
  view(visit, kPages[0]);
  visit.pass(6);
  visit.track(chance.happens(0.5) ? "busca_venda" : "venda_visualizada");
  if (chance.happens(0.3))
    visit.track("filtro_aplicado", Object().text("tipo", chance.one_of(kFilters).name));
}

void report(Visit& visit) {
  Random& chance = visit.chance();
  view(visit, kPages[4]);
  visit.pass(10);
  visit.track("relatorio_gerado", Object().text("tipo", chance.one_of(kReports).name));
  if (chance.happens(0.5))
    visit.track("exportacao_dados", Object().text("formato", chance.one_of(kFormats).name));
}

void learn(Visit& visit) {
  Random& chance = visit.chance();
  visit.track("primeiro_login", browser_of(visit));
  visit.pass(4);
  visit.track("tutorial_iniciado");
  visit.pass(90);
  visit.track(chance.happens(0.62) ? "tutorial_completo" : "tutorial_pulado");
}

bool log_in(Visit& visit) {
  Random& chance = visit.chance();
  for (int attempt = 0; chance.happens(0.07); ++attempt) {
    visit.track("login_falha", browser_of(visit));
    if (attempt == 2) return false;
    visit.pass(9);
  }
  visit.track("login_sucesso", browser_of(visit));
  return true;
}

void give_opinion(Visit& visit) {
  Random& chance = visit.chance();
  if (visit.age() < 10 || !chance.happens(0.02)) return;
  const double liking = is_slow_machine(visit) ? 6.5 : 8.4;
  const double score = liking + 5 * (chance.share() + chance.share() - 1);
  visit.track("nps_answered", Object().whole("score", score < 0    ? 0
                                                      : score > 10 ? 10
                                                                   : static_cast<int>(score)));
}

}  // namespace

void visit_sales(Visit& visit) {
  Random& chance = visit.chance();
  if (!log_in(visit)) return;
  if (visit.is_first()) learn(visit);
  visit.pass(3);
  view(visit, kDashboard);
  visit.track("dashboard_acessado");
  if (chance.happens(0.25))
    visit.track("grafico_visualizado", Object().text("tipo", chance.one_of(kCharts).name));
  if (chance.happens(0.12)) visit.track("periodo_alterado");
  if (chance.happens(0.45)) search(visit);
  const int sales = chance.count(visit.person().habit == Habit::power ? 1.6 : 0.8);
  for (int n = 0; n < sales; ++n) sell(visit);
  if (chance.happens(visit.person().habit == Habit::power ? 0.2 : 0.06)) report(visit);
  if (chance.happens(0.3)) view(visit, chance.one_of(kPages));
  tell_errors(visit);
  give_opinion(visit);
  if (chance.happens(0.35)) visit.track("logout");
}

}  // namespace weir::demo
