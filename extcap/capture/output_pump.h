// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>

#include "extcap/capture/event_loop.h"
#include "extcap/capture/output.h"

namespace podshark::extcap {

/// Moves what waits in an output that is a pipe, as its reader takes it, and notices the reader's end also
/// while nothing is written. On an event loop, which must outlive it as must the output.
class OutputPump {
 public:
  struct Hooks {
    std::function<void()> gone;         ///< the reader closed its end
    std::function<void(Error)> failed;  ///< writing failed; gone() follows
    std::function<void()> drained;      ///< some of what waited has been taken
  };
  OutputPump(EventLoop& loop, Hooks hooks) : loop_(loop), hooks_(std::move(hooks)) {}
  ~OutputPump();
  OutputPump(const OutputPump&) = delete;
  OutputPump& operator=(const OutputPump&) = delete;

  /// Nothing to do for files.
  [[nodiscard]] Status watch(Output* output);
  /// To be called after writing.
  void pump();

 private:
  void on_writable(std::uint32_t events);

  EventLoop& loop_;
  Hooks hooks_;
  Output* output_ = nullptr;
  UniqueFd again_;
  bool pumping_ = false;  // more waits than the reader took
};

}  // namespace podshark::extcap
