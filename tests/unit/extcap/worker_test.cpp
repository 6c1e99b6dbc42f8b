// SPDX-License-Identifier: GPL-2.0-or-later
// The worker's side of the protocol, in a forked child as in real life. Entering real containers is tested
// end to end.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "extcap/worker/protocol.h"
#include "extcap/worker/serve.h"
#include "podman/core/fd.h"
#include "podman/core/proc.h"

namespace podshark::worker {
namespace {

class WorkerTest : public testing::Test {
 protected:
  WorkerTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
    channel_.reset(ends[0]);
    UniqueFd theirs(ends[1]);
    pid_ = ::fork();
    if (pid_ == 0) {
      channel_.reset();
      serve(theirs.get());
      ::_exit(0);
    }
  }
  ~WorkerTest() override {
    channel_.reset();
    int status = -1;
    ::waitpid(pid_, &status, 0);
    EXPECT_EQ(status, 0) << "the worker ends with its channel";
  }

  Reply ask(const void* data, std::size_t size) {
    EXPECT_EQ(::send(channel_.get(), data, size, 0), static_cast<ssize_t>(size));
    Reply reply;
    EXPECT_EQ(::recv(channel_.get(), &reply, sizeof(reply), 0), static_cast<ssize_t>(sizeof(reply)));
    EXPECT_EQ(reply.magic, kMagic);
    EXPECT_EQ(reply.sockets, 0U);
    return reply;
  }
  Reply ask(const Request& request) { return ask(&request, sizeof(request)); }

  static Request about_me() {
    Request r;
    r.pid = ::getpid();
    r.pid_start = read_stat(::getpid())->start_time;
    r.netlink_sockets = 1;
    return r;
  }

 private:
  UniqueFd channel_;
  pid_t pid_ = 0;
};

TEST_F(WorkerTest, a_message_of_another_size_is_refused) {
  const std::array<char, 500> noise{};
  EXPECT_EQ(ask(noise.data(), 3).stage, Stage::request);
  EXPECT_EQ(ask(noise.data(), noise.size()).stage, Stage::request);
  EXPECT_EQ(ask(noise.data(), sizeof(Request)).stage, Stage::request) << "no magic number";
}

TEST_F(WorkerTest, too_many_sockets_are_refused_also_when_the_sum_overflows) {
  Request r = about_me();
  r.raw_sockets = kMaxSockets + 1;
  EXPECT_EQ(ask(r).stage, Stage::request);
  r.raw_sockets = 0xFFFFFFFF;
  r.cooked_sockets = 2;
  EXPECT_EQ(ask(r).stage, Stage::request);
  r.raw_sockets = r.cooked_sockets = 0;
  r.netfilter_sockets = kMaxSockets;
  EXPECT_EQ(ask(r).stage, Stage::request);
}

TEST_F(WorkerTest, probe_sockets_count_for_the_limit_too) {
  Request r = about_me();
  r.probe.tcp[0] = kMaxSockets;
  EXPECT_EQ(ask(r).stage, Stage::request);
  r.probe.tcp[0] = 0xFFFFFFFF;
  r.probe.icmp[1] = 1;
  EXPECT_EQ(ask(r).stage, Stage::request);
}

TEST_F(WorkerTest, unknown_kinds_and_senseless_pids_are_refused) {
  Request r = about_me();
  r.kind = static_cast<TargetKind>(7);
  EXPECT_EQ(ask(r).stage, Stage::request);
  r = about_me();
  r.pid = -1;
  EXPECT_EQ(ask(r).stage, Stage::request);
}

TEST_F(WorkerTest, a_recycled_pid_is_noticed_by_its_start_time) {
  Request r = about_me();
  ++r.pid_start;
  EXPECT_EQ(ask(r).stage, Stage::identity);
}

TEST_F(WorkerTest, a_process_that_is_gone_is_told) {
  const pid_t gone = ::fork();
  if (gone == 0) ::_exit(0);
  ::waitpid(gone, nullptr, 0);
  Request r = about_me();
  r.pid = gone;
  EXPECT_EQ(ask(r).stage, Stage::find_process);
}

TEST_F(WorkerTest, another_netns_than_the_one_meant_is_refused) {
  Request r = about_me();
  r.netns_inode = 1;
  EXPECT_EQ(ask(r).stage, Stage::identity);
}

TEST_F(WorkerTest, an_answer_bears_the_number_of_its_request) {
  Request r = about_me();
  r.serial = 4711;
  EXPECT_EQ(ask(r).serial, 4711U);
}

TEST_F(WorkerTest, the_hosts_network_is_never_handed_out) {
  EXPECT_EQ(ask(about_me()).stage, Stage::host_netns);
}

TEST_F(WorkerTest, a_netns_file_that_does_not_exist_is_told) {
  Request r;
  r.kind = TargetKind::netns_file;
  std::memset(r.uuid, 0xEE, sizeof(r.uuid));
  EXPECT_EQ(ask(r).stage, Stage::open_netns);
}

}  // namespace
}  // namespace podshark::worker
