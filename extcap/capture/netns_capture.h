// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "extcap/capture/captured_macs.h"
#include "extcap/capture/event_loop.h"
#include "extcap/capture/filter.h"
#include "extcap/capture/recorder.h"
#include "extcap/capture/ring_budget.h"
#include "extcap/capture/source.h"
#include "extcap/worker_client.h"
#include "podman/model/link.h"
#include "podman/wire/ring.h"

namespace podshark::extcap {

/// How long packets may wait before they are handed on: the less, the more often this process wakes.
struct Pace {
  std::uint32_t retire_ms = 20;  ///< in a ring that is not full
  int hold_ms = 5;               ///< for older ones of other links
};
/// For a regular file, at which nobody looks so closely.
inline constexpr Pace kForFiles{100, 50};

struct LinkOptions {
  std::vector<std::string> links;  ///< names to capture; empty: all
  std::string filter;              ///< libpcap syntax
  std::uint32_t snaplen = 262144;
  bool promiscuous = true;
  std::size_t ring_bytes = 0;  ///< kernel memory per link as far as there is any; 0: see RingBudget
  Pace pace;
};

/// A link that a capture wants, and what is special about it.
struct ChosenLink {
  model::Link link;
  std::string name;    ///< behind the target's in `if_name`: "eth0", "veth0@host"
  std::string filter;  ///< libpcap syntax, in addition to the user's; empty: none
};

/// Picks from all links of a namespace, anew whenever they change. `netlink_fd` is a NETLINK_ROUTE socket in
/// it. An error at the first call ends the attempt; later ones are reported and change nothing.
using LinkChooser = std::function<Result<std::vector<ChosenLink>>(int netlink_fd, std::vector<model::Link>)>;

struct CapturePlan {
  Target target;
  NetnsPlace place;
  LinkChooser choose;
  bool watch_process = true;  ///< the capture ends with the container's first process
};

/// What captures of one session share. Everything outlives them.
struct CaptureContext {
  const LinkOptions& options;
  WorkerClient& worker;
  EventLoop& loop;
  Recorder& recorder;
  CapturedMacs& macs;
  RingBudget* rings = nullptr;
  std::function<RingBudget::Wish()> ring_wish = {};  ///< of one namespace, how many others there are
};

/// The captured links of one network namespace. Follows links that appear and vanish (rtnetlink) and notices
/// when the container's first process ends (pidfd); the namespace is never entered by this process itself.
class NetnsCapture final : public Source {
 public:
  /// Opens the namespace, declares its interfaces and starts capturing. Wrong link names, a bad filter, a
  /// container that is gone or not permitted are errors; nothing stays behind then.
  [[nodiscard]] static Result<std::unique_ptr<NetnsCapture>> open(CapturePlan plan, CaptureContext context,
                                                                  SourceHooks hooks);
  /// The same before anybody knows whose namespace it is: packets wait in the rings, and `hooks.changed`
  /// tells of links, until identify().
  [[nodiscard]] static Result<std::unique_ptr<NetnsCapture>> open_unknown(NetnsPlace place,
                                                                          CaptureContext context,
                                                                          SourceHooks hooks);
  /// It is this container: declares the interfaces and begins to read.
  void identify(CapturePlan plan);

  ~NetnsCapture() override;
  NetnsCapture(const NetnsCapture&) = delete;
  NetnsCapture& operator=(const NetnsCapture&) = delete;

  [[nodiscard]] const Target& target() const override { return plan_.target; }
  [[nodiscard]] bool ended() const override { return ended_; }
  [[nodiscard]] std::uint64_t since_ns() const override { return opened_ns_; }
  [[nodiscard]] std::uint64_t until_ns() const override { return ended_ns_; }
  [[nodiscard]] std::uint64_t netns_inode() const { return netns_inode_; }
  void pause(bool paused) override;
  void look_again() override;
  void close() override;
  void add_statistics(annotate::Event& event) override;
  [[nodiscard]] std::uint64_t complete_until(std::uint64_t now_ns) const override;
  void add_traffic(std::vector<LinkTraffic>& links) override;

  /// The kernel hands a partly filled block over after the ring's retire time: until then the newest packets
  /// are not ours. Call once before closing any number of captures.
  static void wait_for_last_blocks(const LinkOptions& options);

 private:
  struct LinkRing;
  struct Carried {
    std::string name;
    unsigned flags = 0;
    std::uint64_t packets = 0;
    std::uint64_t errors = 0;
  };
  NetnsCapture(CapturePlan plan, CaptureContext context, SourceHooks hooks, bool known);
  [[nodiscard]] Status start();
  [[nodiscard]] Status watch_process();
  [[nodiscard]] Status attach_links();
  [[nodiscard]] RingBudget::Wish wish_for(std::size_t links) const;
  [[nodiscard]] Status attach_some(std::span<const ChosenLink> links, std::size_t bytes);
  [[nodiscard]] Status leave_out(std::size_t links);
  void forget_replaced();
  [[nodiscard]] Status attach(const ChosenLink& chosen, std::size_t bytes, UniqueFd socket);
  void begin_reading(LinkRing& ring);
  [[nodiscard]] Result<std::vector<ChosenLink>> wanted_links();
  void on_links_changed();
  void add_new_links();
  void report_new_link(const LinkRing& ring);
  void on_process_ended();
  void leave(LinkRing& ring);
  [[nodiscard]] bool await_last_blocks();
  void on_last_blocks();
  void end();
  [[nodiscard]] bool is_copy(const LinkRing& ring, const wire::Packet& packet) const;
  [[nodiscard]] bool take_packet(LinkRing& ring, const wire::Packet& packet);
  void take_packets(LinkRing& ring);
  void take_last_packets(LinkRing& ring);
  void close_ring(LinkRing& ring);
  void report(const std::string& kind, const std::string& what, const std::string& link,
              const std::string& detail);

  CapturePlan plan_;
  CaptureContext context_;
  SourceHooks hooks_;
  bool known_;
  UniqueFd queries_;  // rtnetlink: questions
  UniqueFd changes_;  // rtnetlink: link and address changes
  UniqueFd pidfd_;
  UniqueFd
      last_blocks_;  // timer: what a link or a container that has gone has left in its rings is ours then
  std::uint64_t netns_inode_ = 0;
  std::uint64_t opened_ns_ = 0;
  std::uint64_t ended_ns_ = 0;  // 0: its process runs
  [[nodiscard]] std::map<int, Carried> carried() const;
  std::map<int, Carried> after_;                  // … and when it ended
  std::map<int, Carried> before_;                 // ifindex → counters when the capture began
  std::vector<std::unique_ptr<LinkRing>> rings_;  // of a link that has gone, the last of each name
  std::size_t interfaces_ = 0;                    // so far
  bool left_out_ = false;                         // links for which there is no room: told
  bool paused_ = false;
  bool ended_ = false;
};

/// All links, or the named ones. With `strict`, a name that no link has is an error at the first call, and
/// lists the others; without, the link may still come.
[[nodiscard]] LinkChooser choose_by_name(std::vector<std::string> names, std::string container, bool strict);

}  // namespace podshark::extcap
