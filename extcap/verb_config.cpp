// SPDX-License-Identifier: GPL-2.0-or-later
// Options, link types and filter check: answered from constants, never asking podman. Only the reload button
// of podman:choose reads the list.
#include <unistd.h>

#include <ostream>

#include "extcap/capture/filter.h"
#include "extcap/extcap.h"
#include "extcap/list_cache.h"
#include "extcap/naming.h"
#include "extcap/options.h"
#include "extcap/sentence.h"
#include "podman/wire/ring.h"

namespace podshark::extcap {
namespace {

constexpr int kContainerArgument = 0;

}  // namespace

int verb_config(const std::string& interface, std::ostream& out) {
  int number = 0;
  if (interface == kChooseValue) {
    out << Sentence("arg")
               .with("number", kContainerArgument)
               .with("call", "--container")
               .with("display", "Running container")
               .with("type", "selector")
               .with("reload", "true")
               .with("placeholder", "Load containers")
               .with("tooltip", "Press the reload button to fill this list")
               .with("group", "Container")
        << Sentence("value")
               .with("arg", kContainerArgument)
               .with("value", "none")
               .with("display", "(by name, below)")
               .with("default", "true")
        << Sentence("arg")
               .with("number", 1)
               .with("call", "--name")
               .with("display", "Name, id or pod/NAME")
               .with("type", "string")
               .with("placeholder", "web")
               .with("tooltip", "Several are separated by commas")
               .with("group", "Container");
    number = 2;
  }
  (void)write_link_arguments(out, number);
  return 0;
}

int verb_reload(const std::string& option, std::ostream& out) {
  constexpr int kUnknown = 2;
  if (option != "container") return kUnknown;
  const ListedInventory listed = list_quickly();
  const uid_t caller = ::geteuid();
  out << Sentence("value")
             .with("arg", kContainerArgument)
             .with("value", "none")
             .with("display", "(by name, below)")
             .with("default", "true");
  for (const model::Pod& pod : listed.inventory.pods) {
    out << Sentence("value")
               .with("arg", kContainerArgument)
               .with("value", interface_value(pod))
               .with("display", display_text(pod));
  }
  for (const model::Container& c : listed.inventory.containers) {
    if (!c.alive() || c.infra) continue;
    out << Sentence("value")
               .with("arg", kContainerArgument)
               .with("value", interface_value(c, caller))
               .with("display", display_text(c, caller));
  }
  return 0;
}

int verb_dlts(std::ostream& out) {
  // The stream is pcapng: its interface blocks decide. Wireshark wants one answer here.
  out << Sentence("dlt").with("number", 1).with("name", "EN10MB").with("display", "Ethernet");
  return 0;
}

int verb_check_filter(const std::string& filter, std::ostream& out) {
  const Result<Filter> compiled = Filter::compile(filter, wire::kLinktypeEthernet, kMaxSnaplen);
  if (!compiled) out << compiled.error().line() << '\n';
  return 0;
}

}  // namespace podshark::extcap
