// SPDX-License-Identifier: GPL-2.0-or-later
// Kinds of evidence, from the best: the client's address and port are the same on both sides (pasta on its
// link); one process holds a socket of either side (rootlessport always, the others where their descriptors
// may be read); both ended at the same moment, as the timers of sockets tell that wait after their end;
// nothing but that both appeared between two looks, and nothing else did.
#include "extcap/capture/forward_match.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

using kernel::TcpSocket;
using model::NetworkKind;
using Tuple = model::Conntrack::Tuple;

std::uint32_t over_ms(const TcpSocket& s) {
  return s.state == kernel::kTcpTimeWait ? s.timer_ms : 0;
}

bool connected(const TcpSocket& s) {
  return s.state != kernel::kTcpListen && s.remote_port != 0;
}

Tuple from_local(const TcpSocket& s) {
  return {s.local, s.remote, s.local_port, s.remote_port};
}

Tuple from_remote(const TcpSocket& s) {
  return {s.remote, s.local, s.remote_port, s.local_port};
}

struct Port {
  std::uint16_t host = 0;
  std::uint16_t container = 0;
};

std::vector<Port> tcp_ports(const model::Container& c) {
  std::vector<Port> out;
  for (const model::PortMapping& p : c.ports) {
    if (p.protocol != "tcp" || p.host_port == 0) continue;
    for (unsigned i = 0; i < std::max<unsigned>(p.range, 1); ++i)
      out.push_back(
          {static_cast<std::uint16_t>(p.host_port + i), static_cast<std::uint16_t>(p.container_port + i)});
  }
  return out;
}

std::string span(std::int64_t ms) {
  return ms < 10'000 ? std::to_string(ms) + " ms" : std::to_string(ms / 1000) + " s";
}

std::string process_text(const Forwarder& f) {
  return f.program + ", process " + std::to_string(f.pid);
}

}  // namespace

struct ForwardMatcher::Match {
  Leg outer, inner;
  bool from_inside = false;
  std::string via, evidence;
};

std::string forwarder_name(const std::string& comm) {
  if (comm == "rootlessport" || comm == "slirp4netns") return comm;
  return comm == "pasta" || comm.starts_with("pasta.") || comm == "passt" || comm.starts_with("passt.")
             ? "pasta"
             : "";
}

bool forwarded(const model::Container& c) {
  if (!c.alive()) return false;
  if (c.kind == NetworkKind::pasta || c.kind == NetworkKind::slirp4netns) return true;
  return c.rootless && c.kind == NetworkKind::bridge && !tcp_ports(c).empty();
}

// Forgets those that are matched, and marks what is new.
ForwardMatcher::Legs ForwardMatcher::take_new(Legs legs, bool inner) {
  Seen& now = inner ? inner_now_ : outer_now_;
  const Seen& seen = inner ? inner_seen_ : outer_seen_;
  for (Leg& l : legs) {
    const auto before = seen.find(l.tuple);
    const Appearance a = before != seen.end() ? before->second : Appearance{looks_, before_ms_};
    now.emplace(l.tuple, a);
    l.before_us = a.since_ms < 0;
    l.since_ms = looks_ - a.look < kLooks ? a.since_ms : -1;
  }
  std::erase_if(legs, [&](const Leg& l) {
    return (inner ? matched_inner_.count(l.tuple) : matched_outer_.count(l.tuple)) != 0;
  });
  std::stable_sort(legs.begin(), legs.end(), [](const Leg& a, const Leg& b) { return a.inode < b.inode; });
  return legs;
}

// Sockets of one process on both sides. Several at once are told apart by their inode numbers, which the
// kernel counts up as it makes them.
void ForwardMatcher::match_by_process(Legs& outer, Legs& inner, const ForwardView& view, bool from_inside,
                                      std::vector<Match>& out) {
  const auto held = static_cast<std::size_t>(std::count_if(outer.begin(), outer.end(), [&](const Leg& l) {
    return l.inode != 0 &&
           std::any_of(view.forwarders.begin(), view.forwarders.end(),
                       [&](const Forwarder& f) { return f.sockets && f.sockets->count(l.inode) != 0; });
  }));
  for (const Forwarder& f : view.forwarders) {
    if (!f.sockets) continue;
    const auto theirs = [&](const Leg& l) { return l.inode != 0 && f.sockets->count(l.inode) != 0; };
    Legs a;
    Legs b;
    std::copy_if(outer.begin(), outer.end(), std::back_inserter(a), theirs);
    // What the container sends has no socket of the forwarder's in it.
    std::copy_if(inner.begin(), inner.end(), std::back_inserter(b),
                 [&](const Leg& l) { return from_inside || theirs(l); });
    if (a.empty() || a.size() != b.size()) continue;
    // Of two programs with a connection to that destination either may be this container's.
    if (from_inside && a.size() != held) continue;
    std::string evidence = from_inside ? "same destination; the host's socket is held by " + process_text(f)
                                       : "both sockets are held by " + process_text(f);
    if (a.size() > 1) evidence += "; which of its " + std::to_string(a.size()) + " by their order";
    for (std::size_t i = 0; i < a.size(); ++i) {
      out.push_back({a[i], b[i], from_inside, forwarder_name(f.program), evidence});
      std::erase_if(outer, [&](const Leg& l) { return l.tuple == a[i].tuple; });
      std::erase_if(inner, [&](const Leg& l) { return l.tuple == b[i].tuple; });
    }
  }
}

// Short connections are over when somebody looks: both sides wait for a minute, and their timers tell since
// when. The tables are read some milliseconds apart.
void ForwardMatcher::match_by_end(Legs& outer, Legs& inner, const std::string& usual, bool from_inside,
                                  std::vector<Match>& out) {
  constexpr std::uint32_t kTogether = 30;
  const auto together = [](const Leg& a, const Leg& b) {
    return a.over_ms != 0 && b.over_ms != 0 &&
           std::max(a.over_ms, b.over_ms) - std::min(a.over_ms, b.over_ms) <= kTogether;
  };
  const auto partners = [&](const Leg& one, const Legs& others) {
    return std::count_if(others.begin(), others.end(), [&](const Leg& l) { return together(one, l); });
  };
  Legs matched;
  for (const Leg& a : outer) {
    const auto b = std::find_if(inner.begin(), inner.end(), [&](const Leg& l) { return together(a, l); });
    if (b == inner.end() || a.before_us || b->before_us) continue;
    if (partners(a, inner) != 1 || partners(*b, outer) != 1) continue;
    out.push_back({a, *b, from_inside, usual,
                   std::string(from_inside ? "same destination; " : "") + "both ended within " +
                       std::to_string(kTogether) + " ms, and nothing else then"});
    matched.push_back(a);
    matched.push_back(*b);
  }
  for (Legs* legs : {&outer, &inner}) {
    std::erase_if(*legs, [&](const Leg& l) {
      return std::any_of(matched.begin(), matched.end(), [&](const Leg& m) { return m.tuple == l.tuple; });
    });
  }
}

void ForwardMatcher::match_by_time(const Legs& outer, const Legs& inner, const ForwardView& view,
                                   const std::string& usual, bool from_inside, std::vector<Match>& out) {
  // Of a socket that is not over yet the process will tell, where its descriptors may be read.
  const bool unreadable =
      std::any_of(view.forwarders.begin(), view.forwarders.end(),
                  [&](const Forwarder& f) { return forwarder_name(f.program) == usual && !f.sockets; });
  if (!unreadable) return;
  const auto fresh = [](const Leg& l) { return l.since_ms >= 0; };
  Legs a;
  Legs b;
  std::copy_if(outer.begin(), outer.end(), std::back_inserter(a), fresh);
  std::copy_if(inner.begin(), inner.end(), std::back_inserter(b),
               [](const Leg& l) { return l.since_ms >= 0; });
  if (a.size() != 1 || b.size() != 1) return;
  // Who opens comes first: what was there before it belongs to another.
  if (from_inside ? a[0].since_ms < b[0].since_ms : b[0].since_ms < a[0].since_ms) return;
  out.push_back({a[0], b[0], from_inside, usual,
                 std::string(from_inside ? "same destination; " : "") + "the only two that appeared within " +
                     span(now_ms_ - std::min(a[0].since_ms, b[0].since_ms)) +
                     "; their process is not known"});
}

void ForwardMatcher::incoming(const model::Container& c, const ForwardView& view, std::vector<Match>& out) {
  for (const Port& port : tcp_ports(c)) {
    Legs outer;
    for (const TcpSocket& s : view.host) {
      if (connected(s) && s.local_port == port.host) outer.push_back({from_remote(s), s.inode, over_ms(s)});
    }
    std::map<Tuple, Leg> inside;
    for (const TcpSocket& s : view.inside) {
      if (connected(s) && s.local_port == port.container)
        inside.emplace(from_remote(s), Leg{from_remote(s), 0, over_ms(s)});
    }
    for (const TcpSocket& s : view.inside) {
      const bool to_itself = s.remote == s.local || s.remote.loopback();
      if (!connected(s) || s.remote_port != port.container || !to_itself) continue;
      Leg& leg = inside.emplace(from_local(s), Leg{from_local(s), 0, over_ms(s)}).first->second;
      leg.inode = s.inode;
    }
    Legs inner;
    for (const auto& [tuple, leg] : inside) inner.push_back(leg);
    outer = take_new(std::move(outer), false);
    inner = take_new(std::move(inner), true);
    const std::string usual = c.kind == NetworkKind::pasta ? "pasta" : "rootlessport";
    for (std::size_t i = outer.size(); i-- > 0;) {
      const auto same = std::find_if(inner.begin(), inner.end(), [&](const Leg& l) {
        return l.tuple.source == outer[i].tuple.source && l.tuple.source_port == outer[i].tuple.source_port;
      });
      if (same == inner.end()) continue;
      const std::string via = c.kind == NetworkKind::slirp4netns ? "slirp4netns" : usual;
      out.push_back({outer[i], *same, false, via, "same client address and port on both sides"});
      inner.erase(same);
      outer.erase(outer.begin() + static_cast<std::ptrdiff_t>(i));
    }
    match_by_process(outer, inner, view, false, out);
    match_by_end(outer, inner, usual, false, out);
    match_by_time(outer, inner, view, usual, false, out);
    unsure_ =
        unsure_ || std::any_of(outer.begin(), outer.end(), [](const Leg& l) { return l.since_ms >= 0; });
  }
}

void ForwardMatcher::outgoing(const model::Container& c, const ForwardView& view, std::vector<Match>& out) {
  if (c.kind != NetworkKind::pasta && c.kind != NetworkKind::slirp4netns) return;
  std::set<std::uint16_t> served;
  for (const TcpSocket& s : view.inside) {
    if (s.state == kernel::kTcpListen) served.insert(s.local_port);
  }
  for (const Port& port : tcp_ports(c)) served.insert(port.container);
  using Remote = std::pair<IpAddress, std::uint16_t>;
  std::map<Remote, Legs> wanted;
  for (const TcpSocket& s : view.inside) {
    if (!connected(s) || s.remote.loopback() || s.remote == s.local || served.count(s.local_port) != 0)
      continue;
    wanted[{s.remote, s.remote_port}].push_back({from_local(s), 0, over_ms(s)});
  }
  for (auto& [remote, legs] : wanted) {
    Legs outer;
    for (const TcpSocket& s : view.host) {
      if (connected(s) && Remote{s.remote, s.remote_port} == remote)
        outer.push_back({from_local(s), s.inode, over_ms(s)});
    }
    outer = take_new(std::move(outer), false);
    Legs inner = take_new(std::move(legs), true);
    // The container's own sockets have numbers too, but those of one that is over are gone.
    match_by_process(outer, inner, view, true, out);
    const std::string usual = c.kind == NetworkKind::pasta ? "pasta" : "slirp4netns";
    match_by_end(outer, inner, usual, true, out);
    match_by_time(outer, inner, view, usual, true, out);
    unsure_ =
        unsure_ || std::any_of(inner.begin(), inner.end(), [](const Leg& l) { return l.since_ms >= 0; });
  }
}

std::vector<annotate::Event> ForwardMatcher::look(const model::Container& container, const ForwardView& view,
                                                  std::int64_t now_ms) {
  now_ms_ = now_ms;
  ++looks_;
  unsure_ = false;
  outer_now_.clear();
  inner_now_.clear();
  std::vector<Match> found;
  incoming(container, view, found);
  outgoing(container, view, found);
  std::vector<annotate::Event> out;
  for (const Match& m : found) {
    matched_inner_.insert(m.inner.tuple);
    const Leg& first = m.from_inside ? m.inner : m.outer;
    const Leg& second = m.from_inside ? m.outer : m.inner;
    model::Conntrack c;
    c.protocol = IPPROTO_TCP;
    c.orig = first.tuple;
    c.reply = {second.tuple.destination, second.tuple.source, second.tuple.destination_port,
               second.tuple.source_port};
    c.id = static_cast<std::uint32_t>(fnv1a(translation_text(c)));
    annotate::Event event = nat_record(c, {container.id, container.name},
                                       m.outer.since_ms < 0 && m.inner.since_ms < 0 ? "seen" : "started");
    event.via = m.via;
    event.evidence = m.evidence;
    event.detail += ", by " + m.via + " (" + m.evidence + ")";
    matched_outer_[m.outer.tuple] = event;
    out.push_back(std::move(event));
  }
  std::erase_if(matched_outer_, [&](const auto& matched) { return outer_now_.count(matched.first) == 0; });
  std::erase_if(matched_inner_, [&](const Tuple& t) { return inner_now_.count(t) == 0; });
  before_ms_ = now_ms;
  outer_seen_.swap(outer_now_);
  inner_seen_.swap(inner_now_);
  return out;
}

std::vector<annotate::Event> ForwardMatcher::open_ones() const {
  std::vector<annotate::Event> out;
  for (const auto& [tuple, event] : matched_outer_) {
    out.push_back(event);
    out.back().what = "seen";
  }
  return out;
}

}  // namespace podshark::extcap
