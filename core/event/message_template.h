// What stays the same in an error's message from one occurrence to the next.
//
//   message_template("User 'bob' (id 4711) not found at /home/bob/x.db");
//   // "User \"\" (id #) not found at #"
#pragma once

#include <string>
#include <string_view>

namespace weir {

// The first line of `message` (at most its first 1,000 bytes), with "" for each quoted text and #
// for each number, identifier, address, path, URL and e-mail address.
std::string message_template(std::string_view message);

}  // namespace weir
