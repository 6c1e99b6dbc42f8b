// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "extcap/capture/event_loop.h"
#include "extcap/remote/pcapng_feed.h"
#include "podman/core/process.h"

namespace podshark::extcap::remote {

/// A podshark of this machine that captures to a pipe which is read here, on an event loop that must outlive
/// the object. It ends with it at the latest.
class MergeStream {
 public:
  struct Hooks {
    std::function<void(const std::string&)> line;  ///< one that it wrote on stderr, clean
    /// All has been read; its exit code (128 + signal), or why what it wrote is no capture. The last call,
    /// which must not destroy the object.
    std::function<void(Result<int>)> ended;
  };
  /// Not reading before pause(false).
  [[nodiscard]] static Result<std::unique_ptr<MergeStream>> start(EventLoop& loop,
                                                                  const std::vector<std::string>& arguments,
                                                                  PcapngFeed::Hooks blocks, Hooks hooks);
  ~MergeStream() { close(); }
  MergeStream(const MergeStream&) = delete;
  MergeStream& operator=(const MergeStream&) = delete;

  void pause(bool paused);
  /// Tells it to end; what it still writes is still read.
  void stop();

 private:
  MergeStream(EventLoop& loop, Child child, PcapngFeed::Hooks blocks, Hooks hooks)
      : loop_(loop), child_(std::move(child)), feed_(std::move(blocks)), hooks_(std::move(hooks)) {}
  void watch();
  void close();
  /// Reads what is there, or until the end; false: nothing more can come.
  bool read_output(bool all);
  bool read_errors(bool all);
  void on_exit();
  void conclude(Result<int> code);

  EventLoop& loop_;
  Child child_;
  PcapngFeed feed_;
  Hooks hooks_;
  std::vector<std::uint8_t> buffer_;
  std::string rest_;  // of stderr, not yet a line
  bool paused_ = true;
  bool watched_ = false;
  bool exited_ = false;
};

}  // namespace podshark::extcap::remote
