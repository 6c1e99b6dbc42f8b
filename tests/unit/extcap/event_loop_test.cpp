// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/event_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "extcap/capture/output_pump.h"

namespace podshark::extcap {
namespace {

struct Pipe {
  UniqueFd in, out;
};
Pipe make_pipe() {
  std::array<int, 2> fds{};
  EXPECT_EQ(::pipe2(fds.data(), O_CLOEXEC | O_NONBLOCK), 0);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

TEST(EventLoop, a_number_that_is_used_anew_gets_no_old_events) {
  auto loop = EventLoop::create();
  ASSERT_TRUE(loop);
  Pipe first = make_pipe();
  Pipe second = make_pipe();
  Pipe quiet = make_pipe();
  ASSERT_EQ(::write(first.out.get(), "x", 1), 1);
  ASSERT_EQ(::write(second.out.get(), "x", 1), 1);
  int ran = 0;
  int quiet_ran = 0;
  // Whichever comes first replaces the other by one in which nothing happens.
  const auto replace = [&](Pipe& other) {
    ++ran;
    const int number = other.in.get();
    loop->remove(number);
    ASSERT_EQ(::dup3(quiet.in.get(), number, O_CLOEXEC), number);
    ASSERT_TRUE(loop->add(number, EPOLLIN, [&](std::uint32_t) { ++quiet_ran; }));
  };
  ASSERT_TRUE(loop->add(first.in.get(), EPOLLIN, [&](std::uint32_t) { replace(second); }));
  ASSERT_TRUE(loop->add(second.in.get(), EPOLLIN, [&](std::uint32_t) { replace(first); }));
  loop->wait(1000);
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(quiet_ran, 0);
}

TEST(EventLoop, a_turn_takes_all_that_are_ready) {
  auto loop = EventLoop::create();
  ASSERT_TRUE(loop);
  std::vector<Pipe> pipes(200);
  int ran = 0;
  for (Pipe& p : pipes) {
    p = make_pipe();
    ASSERT_EQ(::write(p.out.get(), "x", 1), 1);
    ASSERT_TRUE(loop->add(p.in.get(), EPOLLIN, [&](std::uint32_t) { ++ran; }));
  }
  for (int turn = 1; turn <= 3; ++turn) {
    loop->wait(1000);
    EXPECT_EQ(ran, 200 * turn);
  }
}

class Pump : public testing::Test {
 protected:
  Pump() : loop(std::move(*EventLoop::create())) {
    std::string pattern = testing::TempDir() + "podshark-XXXXXX";
    path = std::string(::mkdtemp(pattern.data())) + "/fifo";
    (void)::signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    reader.reset(::open(path.c_str(), O_RDONLY | O_NONBLOCK));
    output = std::make_unique<Output>(std::move(*Output::open(path)));
    EXPECT_TRUE(pump.watch(output.get()));
  }
  ~Pump() override { std::filesystem::remove_all(std::filesystem::path(path).parent_path()); }
  void fill() {
    wire::Bytes bytes;
    ASSERT_TRUE(wire::reserve(&bytes, kMuch));
    bytes.size = kMuch;
    std::fill_n(bytes.data, kMuch, std::uint8_t{7});
    ASSERT_TRUE(output->write(&bytes));
    wire::free_bytes(&bytes);
    ASSERT_GT(output->backlog(), 0U);
  }

  static constexpr std::size_t kMuch = std::size_t{8} << 20U;
  std::string path;
  UniqueFd reader;
  EventLoop loop;
  std::unique_ptr<Output> output;
  OutputPump pump{loop, {.gone = [] {}, .failed = [](Error) {}, .drained = [] {}}};
};

TEST_F(Pump, draining_takes_as_long_as_the_reader_reads_and_leaves_the_loop_alone) {
  fill();
  Pipe ready = make_pipe();
  ASSERT_EQ(::write(ready.out.get(), "x", 1), 1);
  bool ran = false;
  ASSERT_TRUE(loop.add(ready.in.get(), EPOLLIN, [&](std::uint32_t) { ran = true; }));
  std::size_t read_bytes = 0;
  std::thread slow([&] {
    std::array<char, 65536> buffer{};
    while (read_bytes < kMuch) {
      const ssize_t n = ::read(reader.get(), buffer.data(), buffer.size());
      if (n > 0) read_bytes += static_cast<std::size_t>(n);
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  });
  EXPECT_TRUE(output->drain(/* hurry= */ false));
  slow.join();
  EXPECT_EQ(read_bytes, kMuch);
  EXPECT_EQ("", output->untaken());
  EXPECT_FALSE(ran);
}

TEST_F(Pump, a_reader_that_dies_ends_the_draining) {
  fill();
  reader.reset();
  EXPECT_TRUE(output->drain(/* hurry= */ false));
  EXPECT_TRUE(output->reader_gone());
  EXPECT_EQ("", output->untaken());
}

TEST_F(Pump, what_a_reader_who_stands_still_did_not_take_is_told) {
  fill();
  EXPECT_TRUE(output->drain(/* hurry= */ true));
  EXPECT_EQ("the reader did not take the last " + std::to_string(output->backlog()) + " bytes in time",
            output->untaken());
}

}  // namespace
}  // namespace podshark::extcap
