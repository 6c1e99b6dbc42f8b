// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/core/in_parallel.h"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

namespace podshark {

void in_parallel(std::size_t count, std::size_t most, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  const auto take = [&] {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::thread> others;
  try {
    while (others.size() + 1 < std::min(most, count)) others.emplace_back(take);
  } catch (const std::system_error&) {  // EAGAIN: with those that there are
  }
  take();
  for (std::thread& t : others) t.join();
}

}  // namespace podshark
