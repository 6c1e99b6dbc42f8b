// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "extcap/capture/method.h"
#include "extcap/capture/netns_capture.h"
#include "extcap/capture/netns_watch.h"
#include "extcap/capture/other_ways.h"
#include "extcap/selection.h"
#include "podman/api/parse.h"
#include "podman/core/process.h"

namespace podshark::extcap {

enum class Points { inside, host, both };

struct RosterOptions {
  Points points = Points::inside;
  bool follow = true;  ///< go on with a container that restarts, and with those that join
  bool wait = false;   ///< what was named may not exist yet
  MethodOptions methods;
};

/// The sources of one session: who is captured now, who comes back, who joins. Resolves the chosen names anew
/// whenever something may have started, and writes `gap` and `lifecycle` records about it.
class Roster {
 public:
  struct Hooks {
    SourceHooks source;
    std::function<void(const Error&)> failed;        ///< a chosen container cannot be started or captured
    std::function<void(const std::string&)> notice;  ///< one line for people
    std::function<void(const Target&)> ended;        ///< a container that was captured has stopped
    /// Somebody new is captured, with packets from `since_ns` on; known() knows who.
    std::function<void(std::int64_t since_ns)> joined;
  };
  /// The context's references, and what the hooks refer to, outlive the object.
  Roster(CaptureContext context, const RosterOptions& options, Hooks hooks);
  ~Roster();
  Roster(const Roster&) = delete;
  Roster& operator=(const Roster&) = delete;

  /// Attaches everything that was chosen and starts what was stopped. The first that cannot be captured is
  /// the error, except, among several, one that has just stopped.
  [[nodiscard]] Status begin(Selection& selection);

  /// Deals with captures that failed on their own: the last one is Hooks::failed, others are a notice. Only
  /// what may just not be running yet is tried again.
  void give_up_failed();
  /// Something may have started: looks at processes now (milliseconds), without podman's details.
  void poke();
  /// What podman tells of a container with its event: labels, for one that may be over before podman is
  /// asked.
  void on_event(const api::ContainerEvent& event);
  /// Podman has told the state.
  void on_inventory(const model::Inventory& inventory);
  /// While true, nobody new is taken in; ended captures still end.
  void pause_following(bool paused);

  [[nodiscard]] const std::vector<std::unique_ptr<Source>>& sources() const { return sources_; }
  [[nodiscard]] std::uint64_t complete_until(std::uint64_t now_ns) const;
  /// Totals of all links, those of ended captures included.
  void add_statistics(annotate::Event& event);
  void pause(bool paused);
  void close();
  /// Why there are no packets.
  [[nodiscard]] EmptyFacts empty_facts() const;
  /// Nothing is captured now, and nothing is being started.
  [[nodiscard]] bool idle() const;
  [[nodiscard]] const model::Inventory& known() const { return known_; }

 private:
  struct Gone {
    std::int64_t since_ns = 0;
    std::string id;
  };
  [[nodiscard]] Status start_stopped(Selection& selection);
  /// `told`: by podman, not just seen.
  void reconcile(const model::Inventory& inventory, bool told);
  void run_start(const model::Container& container);
  /// What was stopped is being started, or has just been.
  [[nodiscard]] bool starting() const;
  void on_started(std::size_t index);
  [[nodiscard]] Result<std::vector<CapturePlan>> plans(const Target& target);
  [[nodiscard]] Target with_addresses(Target target);
  [[nodiscard]] Status attach(const Target& target);
  [[nodiscard]] Status attach_sockets(const Target& target);
  [[nodiscard]] Status attach_all(const Target& target);
  [[nodiscard]] Status add(Result<OtherWay> way, const Target& target);
  [[nodiscard]] bool captured(const Target& target) const;
  [[nodiscard]] model::Inventory seen_now();
  [[nodiscard]] bool given_up(const Target& target) const;
  [[nodiscard]] std::unique_ptr<NetnsCapture> take_unknown(const Target& target);
  [[nodiscard]] RingBudget::Wish ring_wish() const;
  /// Time of its first possible packet, 0 when it could not be captured.
  [[nodiscard]] std::int64_t join(const Target& target, bool told);
  /// Its last capture, when that has ended or is ending.
  [[nodiscard]] std::optional<Gone> take_gone(const std::string& value);
  void retire();
  void keep_totals(Source& source);
  void forget_unknown(const model::Inventory& inventory);
  void on_new_netns(UniqueFd netns);
  void on_rootful_netns();
  void report(const char* kind, const std::string& what, const model::Container& c,
              const std::string& detail);

  CaptureContext context_;
  RosterOptions options_;
  Hooks hooks_;
  std::vector<std::string> names_;
  model::Inventory told_;   // by podman: complete
  model::Inventory known_;  // the same, or what a scan of processes shows since
  RingBudget rings_;        // outlives the sources
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<std::unique_ptr<NetnsCapture>> unknown_;
  std::map<std::uint64_t, model::Container>
      seen_;  // netns of an unknown capture → the container last seen in it
  std::map<std::string, model::Container> events_;           // id → what podman's events said
  std::set<pid_t> failed_;                                   // reported already
  std::map<std::pair<pid_t, std::uint64_t>, int> failures_;  // process (with start time) → failed captures
  std::map<std::string, Gone> gone_;                         // target value → when its capture ended
  std::map<std::pair<std::string, std::string>, annotate::Event::LinkStats> retired_;
  std::vector<Child> starting_;
  unsigned starts_ = 0;          // of these, under way
  std::int64_t started_ns_ = 0;  // elapsed_ns() when the last one was through
  std::unique_ptr<NetnsWatch> watch_;
  std::int64_t look_until_ns_ = 0;  // elapsed_ns(): somebody is about to start
  UniqueFd scan_timer_;
  std::size_t expected_ = 0;  // namespaces at the start
  bool paused_ = false;
  bool following_paused_ = false;
};

}  // namespace podshark::extcap
