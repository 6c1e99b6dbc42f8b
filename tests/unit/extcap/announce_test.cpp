// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/announce/announce.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "extcap/announce/inbox.h"
#include "tests/unit/temp_tree.h"

namespace podshark::extcap {
namespace {

class Announce : public testing::Test {
 protected:
  Announce() {
    // Longer than the address of a socket may be.
    run_ = tree_.path() + "/" + std::string(120, 'd');
    std::filesystem::create_directories(run_);
    ::setenv("XDG_RUNTIME_DIR", run_.c_str(), 1);
  }
  ~Announce() override { ::unsetenv("XDG_RUNTIME_DIR"); }

  static annotate::Event event(const std::string& detail) {
    annotate::Event e;
    e.kind = "probe";
    e.detail = detail;
    return e;
  }
  [[nodiscard]] std::size_t files() const {
    std::size_t n = 0;
    for ([[maybe_unused]] const auto& f : std::filesystem::directory_iterator(run_ + "/podshark")) ++n;
    return n;
  }

  test::TempTree tree_;
  std::string run_;
};

TEST_F(Announce, without_a_capture_nothing_happens) {
  announce(event("nobody hears"));
  EXPECT_EQ(files(), 0U);
}

TEST_F(Announce, a_record_arrives_whole_and_in_order) {
  Result<Inbox> inbox = Inbox::open();
  ASSERT_TRUE(inbox) << inbox.error().line();
  EXPECT_FALSE(inbox->next());
  announce(event("one"));
  announce(event(std::string(20000, 'x')));
  EXPECT_EQ(inbox->next()->detail, "one");
  EXPECT_EQ(inbox->next()->detail.size(), 20000U);
  EXPECT_FALSE(inbox->next());
}

TEST_F(Announce, an_inbox_takes_its_file_away) {
  {
    Result<Inbox> inbox = Inbox::open();
    ASSERT_TRUE(inbox);
    Inbox moved = std::move(*inbox);
    EXPECT_EQ(files(), 1U);
  }
  EXPECT_EQ(files(), 0U);
}

TEST_F(Announce, what_a_killed_capture_left_is_removed) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const Result<Inbox> inbox = Inbox::open();
    ::_exit(inbox ? 0 : 1);  // without destructors
  }
  int status = 1;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_EQ(status, 0);
  EXPECT_EQ(files(), 1U);
  announce(event("is anybody there"));
  EXPECT_EQ(files(), 0U);
}

TEST_F(Announce, what_is_no_record_is_skipped) {
  Result<Inbox> inbox = Inbox::open();
  ASSERT_TRUE(inbox);
  const std::string name = run_ + "/podshark/capture." + std::to_string(::getpid());
  ASSERT_EQ(::chdir((run_ + "/podshark").c_str()), 0);
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::snprintf(to.sun_path, sizeof(to.sun_path), "capture.%d", ::getpid());
  for (const std::string& text : {std::string("{"), std::string("\0\xff", 2), std::string(),
                                  std::string("[]"), std::string(200000, ' ')})
    (void)::sendto(fd, text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof(to));
  ::close(fd);
  announce(event("good"));
  EXPECT_EQ(inbox->next()->detail, "good");
  EXPECT_FALSE(inbox->next());
}

TEST_F(Announce, a_capture_that_does_not_read_holds_nobody_up) {
  Result<Inbox> inbox = Inbox::open();
  ASSERT_TRUE(inbox);
  for (int i = 0; i < 20; ++i) announce(event(std::to_string(i)));  // more than net.unix.max_dgram_qlen
  int n = 0;
  while (inbox->next()) ++n;
  EXPECT_GE(n, 1);
}

TEST_F(Announce, a_directory_that_others_may_write_to_is_not_used) {
  std::filesystem::create_directories(run_ + "/podshark");
  ASSERT_EQ(::chmod((run_ + "/podshark").c_str(), 0777), 0);
  const Result<Inbox> inbox = Inbox::open();
  ASSERT_FALSE(inbox);
  EXPECT_EQ(inbox.error().kind, ErrorKind::permission);
}

}  // namespace
}  // namespace podshark::extcap
