// SPDX-License-Identifier: GPL-2.0-or-later
// podshark-drops is told whose packets count by packet sockets that the worker makes, so it grants nothing
// that the worker has not. Its ring is looked at in every turn of the loop: what the kernel has written can
// be read at once, so packets need not wait for drops longer than one takes from its time stamp into the
// ring. For a loop that sleeps, the program asks for attention at most every 5 ms; a timer looks again a
// little later for what came in between.
#include "extcap/capture/drop_watch.h"

#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <string_view>

#include "extcap/capture/host_side.h"
#include "extcap/drops/event.h"
#include "podman/core/clock.h"
#include "podman/core/text.h"
#include "podman/kernel/rtnetlink.h"
#include "podman/trace/content.h"

namespace podshark::extcap {
namespace {

constexpr std::chrono::milliseconds kLookAgain{20};
constexpr std::uint64_t kInFlightNs = 5'000'000;
constexpr std::size_t kRecordsPerTurn = 16384;
constexpr std::size_t kMostInRing = PODSHARK_DROP_RING / sizeof(podshark_drop_event);
constexpr std::size_t kMostAddresses = 64;  // of one container
constexpr std::size_t kMostPorts = 1024;

// CLOCK_REALTIME minus CLOCK_MONOTONIC, from the reading that was disturbed least.
std::int64_t clock_difference() {
  std::int64_t best = INT64_MAX;
  std::int64_t out = 0;
  for (int i = 0; i < 3; ++i) {
    const std::int64_t before = monotonic_ns();
    const std::int64_t real = now_ns();
    const std::int64_t after = monotonic_ns();
    if (after - before >= best) continue;
    best = after - before;
    out = real - (before + best / 2);
  }
  return out;
}

// pasta gives a container the host's own address, slirp4netns everybody the same; neither passes packets
// through links outside.
bool has_outer_side(const model::Container& c) {
  using model::NetworkKind;
  if (c.rootless) return c.kind == NetworkKind::bridge;
  return c.kind != NetworkKind::host && c.kind != NetworkKind::none && c.kind != NetworkKind::pasta &&
         c.kind != NetworkKind::slirp4netns;
}

std::vector<std::string> addresses_of(const std::vector<model::Link>& links) {
  std::vector<std::string> out;
  for (const model::Link& l : links) {
    if (l.loopback()) continue;
    for (const std::string& address : l.addresses) {
      if (out.size() < kMostAddresses) out.push_back(address);
    }
  }
  return out;
}

using Ports = std::set<std::pair<std::uint8_t, std::uint16_t>>;
Ports ports_of(const model::Container& c) {
  Ports out;
  for (const model::PortMapping& p : c.ports) {
    const std::uint8_t protocol = model::protocol_number(p.protocol);
    for (std::uint32_t i = 0; protocol != 0 && i < p.range && out.size() < kMostPorts; ++i)
      out.insert({protocol, static_cast<std::uint16_t>(p.host_port + i)});
  }
  return out;
}

}  // namespace

struct DropWatch::Watched {
  Target target;
  UniqueFd packet;  // in the container's namespace
  std::uint64_t netns = 0;
  bool told = false;     // the helper knows of it
  bool outside = false;  // packets with its addresses count in the namespace around it
  bool rootless = false;
  std::vector<std::string> addresses;
  Ports ports;
  std::vector<model::Attachment> networks;
  std::map<bool, std::uint32_t> interfaces;  // with Ethernet headers, without
  std::int64_t last_ns = 0;
  std::uint64_t written = 0;
  std::uint64_t lost_before = 0;  // of the tag's last owner
  std::uint64_t start_ns = 0;
};

DropWatch::DropWatch(CaptureContext context, Hooks hooks)
    : context_(std::move(context)),
      hooks_(std::move(hooks)),
      reader_([this](std::uint32_t value) { return helper_->reason(value); }) {}

DropWatch::~DropWatch() {
  close();
}

void DropWatch::record(const char* what, const std::string& detail) {
  annotate::Event event;
  event.kind = "lifecycle";
  event.what = what;
  event.time_ns = now_ns();
  event.detail = one_line(detail, 400);
  context_.recorder.event(event);
}

// Something that can not be had: who did not ask for it finds it in the records.
void DropWatch::missing(const std::string& line) {
  record("drops-not-watched", line);
  if (asked_for_) hooks_.notice(line);
}

void DropWatch::start(DropMode mode) {
  if (mode == DropMode::off) return;
  everything_ = mode == DropMode::all;
  asked_for_ = mode != DropMode::automatic;
  const LinkOptions& options = context_.options;
  Result<Filter> ethernet = Filter::compile(options.filter, wire::kLinktypeEthernet, options.snaplen, true);
  Result<Filter> raw = Filter::compile(options.filter, wire::kLinktypeRaw, options.snaplen, true);
  if (!ethernet) return missing("dropped packets are not shown: " + ethernet.error().line());
  ethernet_filter_ = std::move(*ethernet);
  // "ether host …" says nothing about packets that have no such header: then none of these is shown.
  shows_raw_ = static_cast<bool>(raw);
  if (raw) raw_filter_ = std::move(*raw);
  Result<UniqueFd> timer = make_timer(std::chrono::milliseconds(0));
  if (!timer) return missing(timer.error().line());
  look_again_ = std::move(*timer);
  context_.loop.add(look_again_.get(), EPOLLIN, [this](std::uint32_t) { acknowledge(look_again_.get()); });
  const auto refused = [this](std::uint32_t tag, const Error& error) {
    const auto it = watched_.find(tag);
    missing((it == watched_.end() ? "" : what(it->second->target) + ": ") + error.line());
  };
  // What is in the ring by then is still ours.
  const auto failed = [this](const Error& error) { missing(error.line()); };
  helper_ = std::make_unique<DropHelper>(
      context_.loop,
      DropHelper::Hooks{.ready = [this] { on_ready(); }, .failed = failed, .refused = refused});
  if (const Status s = helper_->start(options.snaplen, everything_); !s) {
    missing(s.error().line());
    helper_.reset();
  }
}

void DropWatch::on_ready() {
  ready_ = true;
  // The turn of the loop reads it.
  context_.loop.add(helper_->ring().fd(), paused_ ? 0U : std::uint32_t{EPOLLIN}, [](std::uint32_t) {});
  hooks_.ready();
  if (!helper_->whole_packets())
    missing("dropped packets: this kernel shows only their linear part (Linux 6.12 and later show all)");
  if (!helper_->connections())
    missing("dropped packets: without the types of conntrack's module their connections are not known");
  record("watching-drops", "packets that the kernel drops are shown from now on");
}

DropWatch::Outer* DropWatch::outer(bool rootless) {
  Outer& outer = rootless ? rootless_ : host_;
  if (std::exchange(outer.tried, true)) return outer.packet ? &outer : nullptr;
  const Result<NetnsPlace> place = outer_place(rootless);
  if (!place) return nullptr;
  Result<NetnsSockets> sockets = context_.worker.open(*place, {.netlink = 1, .raw = 1, .cooked = 0});
  if (!sockets) {
    missing("dropped packets: only those inside of containers are shown, those on the host are for root");
    return nullptr;
  }
  outer.packet = std::move(sockets->raw.at(0));
  outer.netlink = std::move(sockets->netlink.at(0));
  return &outer;
}

// Its addresses and published ports may be somebody else's next, its tag much later.
void DropWatch::forget_ended(const std::vector<std::unique_ptr<Source>>& sources) {
  for (const auto& [tag, w] : watched_) {
    const bool there = std::any_of(sources.begin(), sources.end(), [&, &watched = *w](const auto& s) {
      return !s->ended() && s->target().value == watched.target.value;
    });
    if (there) continue;
    tags_.give_back(tag, elapsed_ns());
    if (!std::exchange(w->told, false)) continue;
    helper_->forget(tag);
    w->packet.reset();
  }
}

void DropWatch::tell(std::uint32_t tag, Watched& w) {
  w.told = true;
  helper_->forget(tag);
  if (w.packet) helper_->watch_netns(w.packet.get(), tag);
  Outer* out = w.outside ? outer(w.rootless) : nullptr;
  if (out == nullptr) return;
  if (const Result<std::vector<model::Link>> links = kernel::list_links(out->netlink.get())) {
    for (const model::Link& l : *links) {
      for (const std::string& text : l.addresses) {
        const auto address = IpAddress::parse(text);
        if (address && out->addresses.insert(text).second)
          helper_->local_address(out->packet.get(), *address);
      }
    }
  }
  for (const std::string& text : w.addresses) {
    if (const auto address = IpAddress::parse(text)) helper_->watch_address(out->packet.get(), tag, *address);
  }
  // Published ports of rootless containers belong to a process on the host.
  if (w.rootless) return;
  for (const auto& [protocol, port] : w.ports) helper_->watch_port(out->packet.get(), tag, protocol, port);
}

void DropWatch::follow(const std::vector<std::unique_ptr<Source>>& sources,
                       const model::Inventory& inventory) {
  if (!ready_) return;
  forget_ended(sources);
  for (const auto& source : sources) {
    const Target& target = source->target();
    const model::Container& c = target.container;
    if (source->ended() || c.kind == model::NetworkKind::host) continue;
    if (!target.network.empty()) follow_network(target, inventory);
    const model::Container* told = c.id.empty() ? nullptr : inventory.by_id(c.id);
    if (!c.id.empty()) follow_container(target, told != nullptr ? *told : c);
  }
}

// The tag of a target, 0 when there are too many.
std::uint32_t DropWatch::tag_of(const Target& target) {
  const auto same = std::find_if(watched_.begin(), watched_.end(),
                                 [&](const auto& e) { return e.second->target.value == target.value; });
  if (same != watched_.end()) {
    tags_.keep(same->first);
    return same->first;
  }
  const std::uint32_t tag = tags_.take(read_ns_);
  if (tag == 0) {
    if (!std::exchange(full_, true))
      missing("dropped packets: too many containers, not those of " + what(target));
    return 0;
  }
  auto& w = watched_[tag];
  if (w) conclude(tag, *w);
  w = std::make_unique<Watched>();
  w->lost_before = helper_->count(tag).lost;
  w->start_ns = static_cast<std::uint64_t>(now_ns());
  w->target = target;
  return tag;
}

// `told`: as podman has told of it last, while the target is as it was when its capture began.
void DropWatch::follow_container(const Target& target, const model::Container& told) {
  const model::Container& c = target.container;
  const std::uint32_t tag = tag_of(target);
  if (tag == 0) return;
  Watched& w = *watched_.at(tag);
  Ports ports = ports_of(told);
  if (w.told && w.target.container.same_process(c) && w.ports == ports && w.networks == told.networks) {
    return;
  }
  Result<NetnsSockets> sockets =
      context_.worker.open(NetnsPlace::of(c), {.netlink = 1, .raw = 1, .cooked = 0});
  if (!sockets) return;  // it has just stopped, or is captured by a tool where we may not enter
  const Result<std::vector<model::Link>> links = kernel::list_links(sockets->netlink.at(0).get());
  w.target = target;
  w.packet = std::move(sockets->raw.at(0));
  w.netns = sockets->netns_inode;
  w.outside = has_outer_side(c);
  w.rootless = c.rootless;
  w.addresses = links ? addresses_of(*links) : std::vector<std::string>();
  w.ports = std::move(ports);
  w.networks = told.networks;
  tell(tag, w);
}

// A network has no namespace of its own: its packets are those of its containers, outside of them.
void DropWatch::follow_network(const Target& target, const model::Inventory& inventory) {
  const std::uint32_t tag = tag_of(target);
  if (tag == 0) return;
  std::vector<std::string> addresses;
  Ports ports;
  for (const model::Container& c : inventory.containers) {
    for (const model::Attachment& a : c.networks) {
      if (!c.alive() || a.network != target.network) continue;
      addresses.insert(addresses.end(), a.addresses.begin(), a.addresses.end());
      ports.merge(ports_of(c));
    }
  }
  Watched& w = *watched_.at(tag);
  if (w.told && w.addresses == addresses && w.ports == ports) return;
  w.outside = true;
  w.rootless = ::geteuid() != 0;  // networks in the inventory are the caller's own
  w.addresses = std::move(addresses);
  w.ports = std::move(ports);
  tell(tag, w);
}

std::uint32_t DropWatch::interface_of(Watched& w, bool ethernet) {
  const auto known = w.interfaces.find(ethernet);
  if (known != w.interfaces.end()) return known->second;
  const model::Link none;
  const std::uint32_t id =
      context_.recorder.add_interface({.target = w.target,
                                       .link = none,
                                       .name = "drops",
                                       .linktype = ethernet ? wire::kLinktypeEthernet : wire::kLinktypeRaw,
                                       .snaplen = context_.options.snaplen,
                                       .filter = context_.options.filter,
                                       .netns = w.netns,
                                       .drops = true});
  w.interfaces[ethernet] = id;
  return id;
}

void DropWatch::write(const Drop& drop, std::int64_t time_ns) {
  const auto it = watched_.find(drop.tag);
  if (it == watched_.end() || (drop.noise && !everything_)) return;
  const auto captured = static_cast<std::uint32_t>(drop.bytes.size());
  if (!drop.ethernet && !shows_raw_) return;
  const Filter& filter = drop.ethernet ? ethernet_filter_ : raw_filter_;
  if (!filter.matches(drop.bytes.data(), captured, drop.length)) return;
  Watched& w = *it->second;
  // Two processors may reach the ring in another order than they read the clock, within microseconds; more
  // is a clock that was set back.
  if (w.last_ns - time_ns < static_cast<std::int64_t>(Sequencer::kClockStep))
    time_ns = std::max(time_ns, w.last_ns);
  w.last_ns = time_ns;
  annotate::Event event = drop_event(drop, time_ns);
  event.container = w.target.container.name;
  event.container_id = w.target.container.id;
  const auto ip = drop.ethernet ? trace::ip_in_ethernet(drop.bytes) : drop.bytes;
  if (drop.reason == "NETFILTER_DROP" && !w.target.container.id.empty()) {
    if (const std::string command = trace_command(ip, w.target.container, w.addresses); !command.empty())
      event.fix = "'" + command + "' shows which rule, when it is sent again";
  }
  const std::uint32_t id = interface_of(w, drop.ethernet);
  context_.recorder.dropped(
      id, {drop.bytes.data(), captured, drop.length, static_cast<std::uint64_t>(time_ns), 0},
      drop_comment(event), annotate::encode_event(event));
  ++w.written;
  if (hooks_.written) hooks_.written(ip, event);
}

void DropWatch::take() {
  if (!ready_ || paused_) return;
  const std::int64_t difference = clock_difference();
  const auto began = static_cast<std::uint64_t>(now_ns());
  const std::int64_t began_elapsed = elapsed_ns();
  std::size_t records = 0;
  std::uint64_t last_ns = 0;
  helper_->ring().take(kRecordsPerTurn, [&](std::span<const std::uint8_t> record) {
    ++records;
    const std::optional<Drop> drop = reader_.read(record);
    if (!drop) return;
    last_ns = static_cast<std::uint64_t>(static_cast<std::int64_t>(drop->time_ns) + difference);
    write(*drop, static_cast<std::int64_t>(last_ns));
  });
  all_read_ = records < kRecordsPerTurn;
  if (all_read_) read_ns_ = began_elapsed;
  read_until_ns_ = all_read_ ? began : std::max(read_until_ns_, last_ns);
  if (records > 0) arm_once(look_again_.get(), kLookAgain);
}

void DropWatch::pause(bool paused) {
  paused_ = paused;
  if (ready_) context_.loop.change(helper_->ring().fd(), paused ? 0U : std::uint32_t{EPOLLIN});
}

std::uint64_t DropWatch::complete_until(std::uint64_t now_ns) const {
  if (!ready_) return now_ns;
  return (all_read_ && !paused_ ? now_ns : std::min(now_ns, read_until_ns_)) - kInFlightNs;
}

void DropWatch::conclude(std::uint32_t tag, Watched& w) {
  const std::uint64_t lost = helper_->count(tag).lost - w.lost_before;
  if (lost > 0 && w.interfaces.empty()) (void)interface_of(w, /* ethernet= */ true);
  if (w.interfaces.empty()) return;
  // The counters are those of both interfaces together.
  const std::uint32_t id = w.interfaces.rbegin()->second;
  std::uint64_t unwritten = lost;
  for (const auto& [kind, interface] : w.interfaces) unwritten += context_.recorder.lost(interface);
  context_.recorder.statistics(
      {id, w.start_ns, static_cast<std::uint64_t>(now_ns()), w.written + lost, unwritten});
  if (lost > 0)
    hooks_.notice(what(w.target) + ": " + std::to_string(lost) +
                  " dropped packets came too fast to be shown");
}

void DropWatch::close() {
  if (!helper_) return;
  if (ready_) {
    paused_ = false;
    // Whatever was in the ring by now; more may come as long as the program is there.
    for (std::size_t records = 0; records < kMostInRing; records += kRecordsPerTurn) {
      take();
      if (all_read_) break;
    }
    context_.loop.remove(helper_->ring().fd());
    for (const auto& [tag, w] : watched_) conclude(tag, *w);
  }
  ready_ = false;
  context_.loop.remove(look_again_.get());
  helper_.reset();
}

}  // namespace podshark::extcap
