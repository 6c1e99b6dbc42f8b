// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/core/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace podshark {
namespace {

TEST(Result, holds_move_only_values) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(3));
  ASSERT_TRUE(result);
  const std::unique_ptr<int> taken = std::move(*result);
  EXPECT_EQ(*taken, 3);
}

TEST(Result, wrap_puts_the_purpose_in_front_and_keeps_kind_and_hint) {
  const Result<int> result(Error{ErrorKind::gone, "open 'x': No such file", "restart it"});
  ASSERT_FALSE(result);
  const Error wrapped = result.wrap("enter netns of 'web'");
  EXPECT_EQ(wrapped.what, "enter netns of 'web': open 'x': No such file");
  EXPECT_EQ(wrapped.kind, ErrorKind::gone);
  EXPECT_EQ(wrapped.line(), "enter netns of 'web': open 'x': No such file (restart it)");
}

TEST(Error, line_is_one_line_whatever_a_name_holds) {
  const Error error{ErrorKind::not_found, "no container 'a\nb\x1b[2J'", ""};
  EXPECT_EQ(error.line(), "no container 'a b [2J'");
}

TEST(OsError, permission_is_recognised_unless_the_caller_knows_better) {
  EXPECT_EQ(os_error(EPERM, "setns").kind, ErrorKind::permission);
  EXPECT_EQ(os_error(EACCES, "open").kind, ErrorKind::permission);
  EXPECT_EQ(os_error(ENOENT, "open").kind, ErrorKind::internal);
  EXPECT_EQ(os_error(EPERM, "write", {}, ErrorKind::output).kind, ErrorKind::output);
  EXPECT_EQ(os_error(ENOENT, "open 'x'").what, "open 'x': No such file or directory");
}

TEST(OsError, what_runs_short_has_a_hint_unless_the_caller_has_one) {
  EXPECT_EQ(os_error(EMFILE, "pipe").line(),
            "pipe: Too many open files (raise the limit of open files: ulimit -n)");
  EXPECT_EQ(os_error(ENOMEM, "map", "a smaller ring").hint, "a smaller ring");
  EXPECT_EQ(os_error(ENOENT, "open").hint, "");
}

}  // namespace
}  // namespace podshark
