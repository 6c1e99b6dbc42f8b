// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <ostream>

#include "extcap/control/toolbar.h"
#include "extcap/extcap.h"
#include "extcap/list_cache.h"
#include "extcap/naming.h"
#include "extcap/remote/host_listing.h"
#include "extcap/remote/hosts.h"
#include "extcap/sentence.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

constexpr std::uint64_t kDefaultLimit = 64;

// Each interface costs Wireshark up to four starts of this program per refresh.
std::size_t listed_limit() {
  const char* text = std::getenv("PODSHARK_MAX_INTERFACES");
  std::uint64_t limit = kDefaultLimit;
  if (text != nullptr) (void)parse_number(text, 10000, limit);
  return limit;
}

// Of other machines: what the cache has. Nobody is asked here.
void write_far(std::size_t limit, std::size_t shown, std::ostream& out) {
  for (const remote::ListedHost& h : remote::load_hosts().hosts) {
    if (shown >= limit) return;
    const std::string& host = h.host.name;
    const std::optional<remote::HostListing> listing = remote::read_listing(h.host);
    const std::string age = listing ? remote::age_text(listing->age) : "";
    const std::string mark =
        (age.empty() ? "" : " \u00b7 seen " + age) + (h.saved ? "" : " \u00b7 " + h.from);
    ++shown;
    out << Sentence("interface")
               .with("value", far_choose_value(host))
               .with("display", "Podman\u2026 on " + one_line(host, 80) + " (by name, pattern or label)" +
                                    (listing ? mark : " \u00b7 not asked yet" + mark));
    if (!listing) continue;
    for (const remote::FarContainer& c : listing->containers) {
      if (shown >= limit) return;
      ++shown;
      out << Sentence("interface")
                 .with("value", far_interface_value(host, c.name))
                 .with("display", one_line(c.display, 110) + " \u00b7 on " + one_line(host, 60) + mark);
    }
  }
}

void write_program(const std::string& version, std::ostream& out) {
  const char* choice = std::getenv("PODSHARK_TOOLBAR");
  out << Sentence("extcap")
             .with("version", PODSHARK_VERSION)
             .with("help", help_page())
             .with("display", "Podshark");
  if (toolbar_wanted(version, choice != nullptr ? choice : "")) write_toolbar(out);
}

}  // namespace

int verb_interfaces(const std::string& version, std::ostream& out) {
  const ListedInventory listed = list_quickly();
  const std::string slow = " \u00b7 podman is slow, details may be old";
  const uid_t caller = ::geteuid();
  write_program(version, out);
  const std::size_t limit = listed_limit();
  std::size_t shown = 0;
  for (const model::Container& c : listed.inventory.containers) {
    if (!c.alive() || c.infra || shown >= limit) continue;
    ++shown;
    const bool own = c.owner == caller;
    const std::string note = listed.stale || (own && c.limited) ? slow : "";
    out << Sentence("interface")
               .with("value", interface_value(c, caller))
               .with("display", display_text(c, caller) + note);
  }
  for (const model::Pod& pod : listed.inventory.pods) {
    const bool running = std::any_of(pod.members.begin(), pod.members.end(), [&](const std::string& id) {
      const model::Container* c = listed.inventory.by_id(id);
      return c != nullptr && c->alive();
    });
    if (!running || shown >= limit) continue;
    ++shown;
    out << Sentence("interface")
               .with("value", interface_value(pod))
               .with("display", display_text(pod) + (listed.stale ? slow : ""));
  }
  for (const model::Network& network : listed.inventory.networks) {
    const auto members = std::count_if(
        listed.inventory.containers.begin(), listed.inventory.containers.end(),
        [&](const model::Container& c) {
          return c.alive() && std::any_of(c.networks.begin(), c.networks.end(),
                                          [&](const auto& a) { return a.network == network.name; });
        });
    if (members == 0 || network.driver != "bridge" || shown >= limit) continue;
    ++shown;
    out << Sentence("interface")
               .with("value", interface_value(network))
               .with("display",
                     display_text(network, static_cast<std::size_t>(members)) + (listed.stale ? slow : ""));
  }
  out << Sentence("interface")
             .with("value", kAllValue)
             .with("display", "Podman all your own running containers")
      << Sentence("interface")
             .with("value", kChooseValue)
             .with("display", "Podman\u2026 (by name, pattern or label, before it starts)");
  write_far(limit, shown, out);
  return 0;
}

}  // namespace podshark::extcap
