// SPDX-License-Identifier: GPL-2.0-or-later
// A made-up podman stands for the real one (tests/e2e/test_methods.py has that); its container is this
// process.
#include "extcap/capture/stream_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>

#include "podman/core/proc.h"
#include "tests/unit/extcap/pcap_bytes.h"
#include "tests/unit/temp_tree.h"

namespace podshark::extcap {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

class StreamSourceTest : public testing::Test {
 protected:
  StreamSourceTest() : loop(std::move(*EventLoop::create())) {
    target.value = "podman:web";
    target.container.id = std::string(64, 'a');
    target.container.name = "web";
    target.container.pid = ::getpid();
    target.container.pid_start = read_stat(::getpid())->start_time;
    target.chosen = target.container;
    recorder = std::make_unique<Recorder>(std::move(*Output::open(tree.path() + "/out")));
    const test::PcapBytes pcap;
    tree.write("header", pcap.header(test::kNanoMagic, 276));
    tree.write("packet", pcap.record(1, 2, "data"));
    tree.write("million", std::string(1U << 20U, '\0'));
  }
  ~StreamSourceTest() override { source.reset(); }

  // `body` is what the made-up podman does; $0 is in the directory of the streams above, stdin the lease.
  Status open(const std::string& body, const std::string& image = "") {
    StreamRequest request;
    request.container = "web";
    request.container_id = "abc";
    request.podman.program =
        tree.write("podman", "#!/bin/sh\ncd \"${0%/*}\"\n" + body, /* executable= */ true);
    request.exec = true;
    request.sidecar = {.image = image, .name = "side", .container_id = "abc", .pid = ::getpid()};
    Result<std::unique_ptr<StreamSource>> opened =
        StreamSource::open(target, StreamPlan(request), loop, *recorder,
                           {.packet =
                                [this](std::uint32_t, const wire::Packet& p) {
                                  EXPECT_EQ(p.time_ns, 1000000002U);
                                  return ++packets < most;
                                },
                            .changed = [this] { ++changes; }});
    if (!opened) return opened.error();
    source = std::move(*opened);
    return ok();
  }
  template <typename Condition>
  void run_until(Condition condition) {
    const Clock::time_point end = Clock::now() + std::chrono::seconds(20);
    while (!condition() && Clock::now() < end) loop.wait(20);
    EXPECT_TRUE(condition());
  }
  std::string file() {
    recorder->release_all();
    EXPECT_TRUE(recorder->flush());
    return test::slurp(tree.path() + "/out");
  }
  annotate::Event statistics() {
    annotate::Event event;
    source->add_statistics(event);
    return event;
  }

  test::TempTree tree;
  EventLoop loop;
  Target target;
  std::unique_ptr<Recorder> recorder;
  std::unique_ptr<StreamSource> source;
  std::uint64_t packets = 0;
  std::uint64_t most = ~std::uint64_t{0};
  int changes = 0;
};

TEST_F(StreamSourceTest, packets_come_on_an_interface_of_their_own) {
  ASSERT_TRUE(open("cat header packet packet; read -r _"));
  run_until([&] { return packets == 2; });
  EXPECT_FALSE(source->ended());
  source->close();
  EXPECT_THAT(file(), AllOf(HasSubstr("podman:web/any"), HasSubstr("through podman exec (tcpdump)")));
  ASSERT_EQ(statistics().links.size(), 1U);
  EXPECT_EQ(statistics().links[0].received, 2U);
}

TEST_F(StreamSourceTest, what_comes_after_the_lease_is_taken_and_lost_packets_are_counted) {
  ASSERT_TRUE(open("cat header packet; read -r _; cat packet; echo '7 packets dropped by kernel' >&2"));
  run_until([&] { return packets == 1; });
  source->close();
  EXPECT_EQ(packets, 2U);
  EXPECT_EQ(statistics().links.at(0).dropped, 7U);
}

TEST_F(StreamSourceTest, an_end_after_packets_is_a_failure_with_its_reason) {
  ASSERT_TRUE(open("cat header packet; echo 'tcpdump: pcap_loop: The interface disappeared' >&2; exit 1"));
  run_until([&] { return source->ended(); });
  EXPECT_EQ(packets, 1U);
  EXPECT_EQ(changes, 1);
  ASSERT_TRUE(source->failure());
  EXPECT_THAT(source->failure()->what,
              HasSubstr("through podman exec (tcpdump): tcpdump: pcap_loop: The interface"));
}

TEST_F(StreamSourceTest, a_failed_start_leads_to_the_sidecar) {
  ASSERT_TRUE(
      open("case $2 in exec) exit 97 ;; run) cat header packet; exec sleep 1000 ;; esac", "localhost/x:1"));
  run_until([&] { return packets == 1; });
  EXPECT_THAT(file(), HasSubstr("through a sidecar of image localhost/x:1"));
}

TEST_F(StreamSourceTest, a_start_that_nothing_can_follow_is_a_failure) {
  ASSERT_TRUE(open("exit 97"));
  run_until([&] { return source->ended(); });
  ASSERT_TRUE(source->failure());
  EXPECT_EQ(source->failure()->kind, ErrorKind::unsupported);
  EXPECT_TRUE(statistics().links.empty());
}

TEST_F(StreamSourceTest, something_else_than_packets_is_named) {
  ASSERT_TRUE(open("echo 'Welcome to this container, have fun'; cat million; read -r _"));
  run_until([&] { return source->ended(); });
  ASSERT_TRUE(source->failure());
  EXPECT_THAT(source->failure()->what, HasSubstr("'Welcome to this"));
}

TEST_F(StreamSourceTest, paused_it_takes_nothing_and_resumed_it_loses_nothing) {
  ASSERT_TRUE(open("cat header packet; while [ ! -e go ]; do sleep 0.01; done; cat packet packet"));
  run_until([&] { return packets == 1; });
  source->pause(true);
  tree.write("go", "");
  for (int i = 0; i < 20; ++i) loop.wait(20);  // the program ends meanwhile
  EXPECT_EQ(packets, 1U);
  EXPECT_FALSE(source->ended());
  source->pause(false);
  run_until([&] { return source->ended(); });
  EXPECT_EQ(packets, 3U);
}

TEST_F(StreamSourceTest, closing_does_not_wait_for_a_program_that_hangs) {
  ASSERT_TRUE(open("cat header packet; echo $$ >pid; exec sleep 1000"));
  run_until([&] { return packets == 1; });
  const Clock::time_point began = Clock::now();
  source->close();
  EXPECT_LT(Clock::now() - began, milliseconds(800));
  const Result<ProcStat> left = read_stat(std::stoi(test::slurp(tree.path() + "/pid")));
  EXPECT_TRUE(!left || left->state == 'Z');
}

}  // namespace
}  // namespace podshark::extcap
