// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/check/rule_watch.h"

#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "extcap/check/collect.h"
#include "extcap/check/parts.h"
#include "extcap/check/rule_notice.h"
#include "extcap/inventory_source.h"
#include "podman/core/clock.h"
#include "podman/core/text.h"
#include "podman/diagnose/rule_view.h"
#include "podman/firewall/drop_counters.h"

namespace podshark::extcap::check {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using firewall::Maker;

constexpr auto kSettle = 300ms;    // podman sets a container's rules up in many steps
constexpr auto kLegacyPause = 5s;  // the kernel tells nobody of changes of legacy tables
constexpr auto kCountPause = 2s;
constexpr int kCountShare = 20;       // of the time, one part at most
constexpr auto kLookForNetwork = 5s;  // rootless networks come with the first container that uses one

bool has_legacy(const std::optional<firewall::Ruleset>& rules) {
  return rules && std::any_of(rules->chains.begin(), rules->chains.end(), [](const firewall::Chain& c) {
           return c.maker == Maker::iptables_legacy &&
                  (!c.rules.empty() || c.policy == firewall::Policy::drop);
         });
}

ino_t inode_of(const std::optional<NetnsPlace>& place) {
  struct stat st {};
  return place && place->fd && ::fstat(place->fd->get(), &st) == 0 ? st.st_ino : 0;
}

class Watch {
 public:
  Watch(const std::function<bool(const annotate::Event&)>& tell, bool losses, int stop_fd)
      : tell_(tell), stop_fd_(stop_fd), losses_(losses) {}
  Status run();

 private:
  Status listen_to_host();
  bool listen_to_rootless();
  Status read();
  bool tell_changes(const diagnose::RuleViews& fresh);
  void count();
  void count(const NetnsPlace& place, const char* where, std::optional<firewall::DropCounters>& last);
  [[nodiscard]] int timeout(Clock::time_point now) const;
  bool take_notice(RuleNotice& notice, short events);

  const std::function<bool(const annotate::Event&)>& tell_;
  int stop_fd_;
  RuleNotice host_, rootless_;
  ino_t rootless_inode_ = 0;
  bool legacy_ = false;
  bool seen_ = false;  // some rules
  bool has_views_ = false;
  diagnose::RuleViews views_;
  std::optional<Clock::time_point> due_;
  Clock::time_point last_look_{};
  bool losses_;
  std::optional<firewall::DropCounters> host_counted_, rootless_counted_;
  Clock::time_point next_count_ = Clock::now();
  bool go_on_ = true;
};

// True when the rootless networks' namespace has come, or is another one.
bool Watch::listen_to_rootless() {
  const std::optional<NetnsPlace> place = rootless_networks();
  const ino_t inode = inode_of(place);
  if (inode == rootless_inode_) return false;
  rootless_inode_ = inode;
  rootless_ = RuleNotice();
  if (!place) return false;
  Result<RuleNotice> notice = RuleNotice::start(*place);
  if (notice) rootless_ = std::move(*notice);
  return true;
}

Status Watch::read() {
  due_.reset();
  last_look_ = Clock::now();
  (void)listen_to_rootless();
  Result<model::Inventory> inventory = live_inventory();
  if (!inventory) return has_views_ ? ok() : Status(inventory.error());  // podman may be ill for a while
  diagnose::Facts facts;
  facts.inventory = std::move(*inventory);
  collect_rules(facts);
  legacy_ = has_legacy(facts.host.firewall) || has_legacy(facts.rootless.firewall);
  seen_ = seen_ || facts.host.firewall || facts.rootless.firewall;
  if (!facts.host.firewall && !facts.rootless.firewall && !has_views_) {
    for (const diagnose::Unseen& u : facts.unseen)
      return Error{ErrorKind::permission, u.what + ": " + u.why, u.hint};
  }
  diagnose::RuleViews fresh = diagnose::rule_views(facts);
  if (std::exchange(has_views_, true)) go_on_ = tell_changes(fresh);
  views_ = std::move(fresh);
  return ok();
}

bool Watch::tell_changes(const diagnose::RuleViews& fresh) {
  for (const diagnose::RuleChange& c : diagnose::changes(views_, fresh)) {
    annotate::Event event;
    event.kind = "firewall";
    event.time_ns = now_ns();
    event.what = c.what;
    event.container = c.container;
    event.container_id = c.container_id;
    event.verdict = c.worse ? "failed" : "ok";
    event.detail = one_line(c.detail, 400);
    if (!tell_(event)) return false;
  }
  return true;
}

// The kernel tells nobody of counters, and listing all rules is the only way to read them.
void Watch::count() {
  const Clock::time_point began = Clock::now();
  count(NetnsPlace::host(), "the host", host_counted_);
  if (const std::optional<NetnsPlace> place = rootless_networks())
    count(*place, "the rootless networks", rootless_counted_);
  const Clock::time_point now = Clock::now();
  next_count_ = now + std::max<Clock::duration>(kCountPause, kCountShare * (now - began));
}

void Watch::count(const NetnsPlace& place, const char* where, std::optional<firewall::DropCounters>& last) {
  const Result<firewall::Ruleset> rules = read_firewall(place);
  if (!rules) return;
  firewall::DropCounters fresh = firewall::drop_counters(*rules);
  for (const firewall::DropCounter& c :
       last ? firewall::gained(*last, fresh) : std::vector<firewall::DropCounter>()) {
    annotate::Event event;
    event.kind = "drop";
    event.time_ns = now_ns();
    event.what = "counted";
    event.reason = "NETFILTER_DROP";
    event.count = c.packets;
    event.detail = std::string(where) + ": a firewall rule dropped " + std::to_string(c.packets) +
                   (c.packets == 1 ? " packet: " : " packets: ") + c.rule;
    event.fix = "'podshark trace' shows which rules a container's packets meet";
    go_on_ = go_on_ && tell_(event);
  }
  last = std::move(fresh);
}

int Watch::timeout(Clock::time_point now) const {
  Clock::time_point until = last_look_ + (legacy_ ? kLegacyPause : kLookForNetwork);
  if (losses_) until = std::min(until, next_count_);
  if (due_) until = std::min(until, *due_);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(until - now).count() + 1;
  return static_cast<int>(std::max<long>(0, ms));
}

bool Watch::take_notice(RuleNotice& notice, short events) {
  if (events == 0) return false;
  if (!notice.acknowledge()) notice = RuleNotice();
  if (!due_) due_ = Clock::now() + kSettle;
  return true;
}

Status Watch::run() {
  Result<RuleNotice> host = RuleNotice::start(NetnsPlace::host());
  if (host) host_ = std::move(*host);
  if (Status s = read(); !s) return s;
  while (go_on_) {
    std::array<pollfd, 3> waiting{
        {{stop_fd_, POLLIN, 0}, {host_.fd(), POLLIN, 0}, {rootless_.fd(), POLLIN, 0}}};
    if (::poll(waiting.data(), waiting.size(), timeout(Clock::now())) < 0 && errno != EINTR)
      return os_error(errno, "poll");
    if (waiting[0].revents != 0) return ok();
    (void)take_notice(host_, waiting[1].revents);
    (void)take_notice(rootless_, waiting[2].revents);
    if (losses_ && Clock::now() >= next_count_) count();
    const Clock::time_point now = Clock::now();
    const bool look = now >= last_look_ + (legacy_ ? kLegacyPause : kLookForNetwork);
    if (look) last_look_ = now;
    const bool come = look && listen_to_rootless();
    if ((due_ && now >= *due_) || come || (look && legacy_)) {
      if (Status s = read(); !s) return s;
    }
  }
  return ok();
}

}  // namespace

Status watch_rules(const std::function<bool(const annotate::Event&)>& tell, bool losses, int stop_fd) {
  return Watch(tell, losses, stop_fd).run();
}

}  // namespace podshark::extcap::check
