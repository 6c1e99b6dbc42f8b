// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "extcap/capture/drop_helper.h"
#include "extcap/capture/drop_record.h"
#include "extcap/capture/drop_tags.h"
#include "extcap/capture/filter.h"
#include "extcap/capture/netns_capture.h"
#include "extcap/capture/recorder.h"
#include "extcap/capture/source.h"
#include "extcap/drops/event.h"
#include "podman/model/inventory.h"

namespace podshark::extcap {

enum class DropMode {
  off,
  automatic,  ///< on where it is permitted; else only the capture's records tell
  on,         ///< what is a loss to somebody
  all,        ///< whatever the kernel calls a drop
};

/// Packets that the kernel drops in the namespaces of the captured containers, and on the host those of their
/// addresses and published ports, on interfaces "podman:web/drops". That it can not be had ends no capture.
class DropWatch {
 public:
  struct Hooks {
    std::function<void(const std::string&)> notice;  ///< one line for people
    std::function<void()> ready;                     ///< follow() can be called, and should
    /// A packet of the capture's, from its IP header on, and what the file says of it.
    std::function<void(std::span<const std::uint8_t> ip, const annotate::Event&)> written = {};
  };
  /// The context's references, and what the hooks refer to, outlive the object.
  DropWatch(CaptureContext context, Hooks hooks);
  ~DropWatch();
  DropWatch(const DropWatch&) = delete;
  DropWatch& operator=(const DropWatch&) = delete;

  void start(DropMode mode);
  /// Who is captured now; cheap when nothing has changed, or before it is ready.
  void follow(const std::vector<std::unique_ptr<Source>>& sources, const model::Inventory& inventory);
  /// Hands over what has been dropped so far, unless paused. To be called once a turn of the loop.
  void take();
  void pause(bool paused);
  /// Packets are seen now.
  [[nodiscard]] bool ready() const { return ready_; }
  /// As of Source: given that take() was called after `now_ns` was read.
  [[nodiscard]] std::uint64_t complete_until(std::uint64_t now_ns) const;
  /// The rest, and the counters of each interface. Idempotent.
  void close();

 private:
  struct Watched;
  /// The namespace around those of containers: the host's, or that of the rootless networks.
  struct Outer {
    UniqueFd packet;  // none: not there, or not permitted
    UniqueFd netlink;
    std::set<std::string> addresses;  // told already
    bool tried = false;
  };
  void on_ready();
  void missing(const std::string& line);
  void record(const char* what, const std::string& detail);
  [[nodiscard]] std::uint32_t tag_of(const Target& target);
  void follow_container(const Target& target, const model::Container& told);
  void follow_network(const Target& target, const model::Inventory& inventory);
  void forget_ended(const std::vector<std::unique_ptr<Source>>& sources);
  void tell(std::uint32_t tag, Watched& w);
  void conclude(std::uint32_t tag, Watched& w);
  [[nodiscard]] Outer* outer(bool rootless);
  void write(const Drop& drop, std::int64_t time_ns);
  [[nodiscard]] std::uint32_t interface_of(Watched& w, bool ethernet);

  CaptureContext context_;
  Hooks hooks_;
  std::unique_ptr<DropHelper> helper_;
  DropReader reader_;
  Filter ethernet_filter_;
  Filter raw_filter_;
  bool shows_raw_ = true;
  bool full_ = false;  // told already
  DropTags tags_{PODSHARK_DROP_TAGS - 1};
  std::int64_t read_ns_ = 0;                                   // elapsed_ns() when the ring was empty last
  std::map<std::uint32_t, std::unique_ptr<Watched>> watched_;  // by tag
  Outer host_;
  Outer rootless_;
  UniqueFd look_again_;
  bool everything_ = false;
  bool asked_for_ = false;
  bool ready_ = false;
  bool paused_ = false;
  bool all_read_ = true;
  std::uint64_t read_until_ns_ = 0;
};

}  // namespace podshark::extcap
