// Cuts a file of SQL into its statements, so that an error can be told by its line.
//
//   std::string error;
//   auto statements = split_statements(text, error);
//   for (const Statement& statement : *statements) db.exec(std::string(statement.text)) …
//
// It knows what may hide a semicolon: quotes of every kind, comments, parentheses. It does not know
// BEGIN ATOMIC, which sql/README.md rules out.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::ctl {

struct Statement {
  std::string_view text;  // part of the file, without the semicolon and without what stands before
  int line;               // in which it begins, from 1
};

// None if a quote, a comment or a parenthesis is never closed: `error` says which, `line` where it
// was opened.
std::optional<std::vector<Statement>> split_statements(std::string_view sql, std::string& error,
                                                       int& line);

// True if `statement` begins or ends a transaction, such as BEGIN or COMMIT.
bool is_transaction_control(std::string_view statement);

// The line of character number `position` (from 1, as PostgreSQL counts) of a statement.
int line_of_position(const Statement& statement, int position);

}  // namespace weir::ctl
