// SPDX-License-Identifier: GPL-2.0-or-later
// What several threads use at once (podshark hosts refresh): built with ThreadSanitizer too, tests/tsan.sh.
#include <gtest/gtest.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "podman/core/fd.h"
#include "podman/core/in_parallel.h"
#include "podman/core/process.h"
#include "podman/kernel/rtnetlink.h"

namespace podshark {
namespace {

constexpr std::size_t kMany = 24;
constexpr std::size_t kAtOnce = 4;

TEST(InParallel, everything_is_done_once_and_never_more_than_allowed_at_a_time) {
  std::array<int, kMany> done{};  // not atomic: no two threads have the same one
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  in_parallel(kMany, kAtOnce, [&](std::size_t i) {
    const int running = ++now;
    for (int seen = most; running > seen && !most.compare_exchange_weak(seen, running);) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ++done.at(i);
    --now;
  });
  for (const int n : done) EXPECT_EQ(n, 1);
  EXPECT_LE(most, static_cast<int>(kAtOnce));
}

TEST(InParallel, nothing_to_do_and_one_thread_only) {
  in_parallel(0, kAtOnce, [](std::size_t) { FAIL(); });
  const std::thread::id here = std::this_thread::get_id();
  in_parallel(3, 1, [here](std::size_t) { EXPECT_EQ(std::this_thread::get_id(), here); });
}

TEST(InParallel, programs_run_beside_each_other) {
  std::array<std::string, kMany> said;
  in_parallel(kMany, kAtOnce, [&](std::size_t i) {
    const Result<Output> done = run({"echo", std::to_string(i)}, std::chrono::seconds(30), 100);
    said.at(i) = done ? done->out : done.error().line();
  });
  for (std::size_t i = 0; i < kMany; ++i) EXPECT_EQ(said.at(i), std::to_string(i) + "\n");
}

TEST(InParallel, each_thread_reads_links_from_its_own_socket) {
  std::array<std::size_t, kMany> links{};
  in_parallel(kMany, kAtOnce, [&](std::size_t i) {
    const UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    const auto listed = kernel::list_links(socket.get());
    links.at(i) = listed ? listed->size() : 0;
  });
  EXPECT_GE(links[0], 1U) << "lo is everywhere";
  for (const std::size_t n : links) EXPECT_EQ(n, links[0]);
}

}  // namespace
}  // namespace podshark
