// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/empty_reason.h"

namespace podshark::extcap {
namespace {

std::string counted(const LinkTraffic& l) {
  return std::to_string(l.packets) + (l.packets == 1 ? " packet has" : " packets have") + " passed " + l.name;
}

std::string silence(const EmptyFacts& f) {
  std::string out =
      "no packet has passed any link of " + f.target + " since the capture began: nothing talks to it";
  if (!f.other_owner.empty()) {
    out += ". " + f.other_owner + " has a container of the same name: is that the one you mean?";
  } else if (f.kind == model::NetworkKind::none) {
    out += ", and it has no network but its own loopback";
  } else {
    out += ". Send it something, or look at the other end with --point host";
  }
  return out;
}

}  // namespace

std::string empty_reason(const EmptyFacts& f) {
  if (!f.any_source) return "nothing that was chosen is running now";
  if (!f.preparing.empty()) return "the capture " + f.preparing + " is still being started";
  std::uint64_t captured = 0;
  const LinkTraffic* elsewhere = nullptr;
  const LinkTraffic* seen = nullptr;
  const LinkTraffic* down = nullptr;
  for (const LinkTraffic& l : f.links) {
    if (l.captured) captured += l.packets;
    if (l.captured && l.packets > 0) seen = &l;
    if (!l.captured && l.packets > 0 && elsewhere == nullptr) elsewhere = &l;
    if (!l.up) down = &l;
  }
  // A link that is up has a few packets of its own (neighbour discovery): what is more counts.
  const bool more_elsewhere = elsewhere != nullptr && elsewhere->packets > captured;
  if (captured > 0 && !f.filter.empty() && !more_elsewhere)
    return counted(*seen) + ", but the capture filter '" + f.filter + "' matched none of them";
  if (captured > 0 && f.kind == model::NetworkKind::host)
    return counted(*seen) + ", none of them on a port that is known as the container's";
  if (elsewhere != nullptr) {
    const std::string why =
        elsewhere->loopback ? " (published ports of rootless containers arrive there)" : "";
    return counted(*elsewhere) + why +
           ", which is not among the captured links: leave --link away to have all";
  }
  if (captured > 0)
    return counted(*seen) + ", all of them frames that another captured container's link has shown";
  if (down != nullptr) return "link " + down->name + " of " + f.target + " is down: nothing can pass it";
  return silence(f);
}

}  // namespace podshark::extcap
