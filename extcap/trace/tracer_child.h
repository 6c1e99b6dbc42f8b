// SPDX-License-Identifier: GPL-2.0-or-later
// The child of a Tracer, and how it talks to its parent: frames of a kind, a length and as many bytes.
#pragma once

#include <cstdint>
#include <string>

#include "extcap/trace/loggers.h"

namespace podshark::extcap::tracing {

enum class Frame : std::uint32_t {
  ready,     ///< the table is in place; why legacy rules can not be traced, or empty
  denied,    ///< the namespace may not be entered or changed; why
  failed,    ///< something else; why
  message,   ///< one netlink message
  link,      ///< index, blank, name
  overruns,  ///< a number
  left_out,  ///< a number
  not_restored,
  done,
};

struct FrameHead {
  std::uint32_t size = 0;
  Frame kind = Frame::done;
};
inline constexpr std::size_t kMaxFrame = 70'000;  ///< a netlink message is smaller

struct ChildWork {
  int channel = -1;
  int netns = -1;
  bool host = false;
  std::string table;
  std::string command;  ///< for nft
  Loggers loggers;
};

/// Runs in the child; ends when the channel's other end does.
[[noreturn]] void run_tracer_child(const ChildWork& work) noexcept;

}  // namespace podshark::extcap::tracing
