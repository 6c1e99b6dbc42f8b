// SPDX-License-Identifier: GPL-2.0-or-later
// Options, link types and filter check: answered from constants, never asking podman. Only the reload buttons
// read containers and links.
#include <unistd.h>

#include <optional>
#include <ostream>

#include "extcap/capture/filter.h"
#include "extcap/extcap.h"
#include "extcap/list_cache.h"
#include "extcap/naming.h"
#include "extcap/options.h"
#include "extcap/remote/hosts.h"
#include "extcap/selection.h"
#include "extcap/sentence.h"
#include "extcap/worker_client.h"
#include "podman/kernel/rtnetlink.h"
#include "podman/wire/ring.h"

namespace podshark::extcap {
namespace {

// Numbers that the reload answers refer to; podman:choose has its own arguments before the shared ones:
// Wireshark puts tabs in the order of these numbers.
constexpr int kContainerArgument = 0;
constexpr int kLinkArgument = 10;

void write_nobody_value(std::ostream& out) {
  out << Sentence("value")
             .with("arg", kContainerArgument)
             .with("value", "none")
             .with("display", "(by name, below)")
             .with("default", "true");
}

void write_choice(std::ostream& out) {
  out << Sentence("arg")
             .with("number", kContainerArgument)
             .with("call", "--container")
             .with("display", "Running container")
             .with("type", "selector")
             .with("reload", "true")
             .with("placeholder", "Load containers")
             .with("tooltip", "Press the reload button to fill this list")
             .with("group", "Container");
  write_nobody_value(out);
  out << Sentence("arg")
             .with("number", kContainerArgument + 1)
             .with("call", "--name")
             .with("display", "Name, id, pod/NAME or net/NAME")
             .with("type", "string")
             .with("placeholder", "web")
             .with("tooltip",
                   "Several are separated by commas. Also a pattern (web*) or label=KEY=VALUE. A stopped "
                   "container "
                   "is started once the capture is ready")
             .with("group", "Container")
      << Sentence("arg")
             .with("number", kContainerArgument + 2)
             .with("call", "--wait")
             .with("display", "Wait for it")
             .with("type", "boolean")
             .with("default", "false")
             .with("tooltip",
                   "It need not exist or run yet: the capture attaches when it is created, before its first "
                   "packet. "
                   "Nothing is started")
             .with("group", "Container")
      << Sentence("arg")
             .with("number", kContainerArgument + 3)
             .with("call", "--start")
             .with("display", "Start it when it is stopped")
             .with("type", "boolean")
             .with("default", "true")
             .with("tooltip",
                   "The capture is attached first: it has everything from the container's first packet on")
             .with("group", "Container");
}

// Named as sshdump names them.
void write_remote(int first, std::ostream& out) {
  const auto field = [&](const char* call, const char* display, const char* type, const char* tooltip) {
    Sentence s("arg");
    s.with("number", first++).with("call", call).with("display", display).with("type", type);
    s.with("tooltip", tooltip).with("group", "Remote");
    return s;
  };
  out << field("--remote-host", "Host", "string",
               "Where the containers are, a name of ssh_config too. Empty: here. podshark need not be "
               "installed "
               "there; with it more is possible. The reload button of the containers then asks that machine")
             .with("placeholder", "server.example")
      << field("--remote-port", "Port", "string", "Empty: as ssh_config says, else 22")
             .with("validation", "^[1-9][0-9]*$")
      << field("--remote-username", "User", "string", "Empty: as ssh_config says, else your name here")
      << field("--sshkey", "Key file", "fileselect",
               "Empty: agent and ssh_config. A passphrase is asked for in a window, or the agent has it")
      << field("--jump-host", "Jump host", "string", "Hosts to go through, as for ssh -J")
             .with("placeholder", "[user@]gateway");
}

// Containers and pods of an inventory as values of the selector. Those of another machine by their names, as
// podshark there takes them: who the caller is there is not known here.
void write_inventory(const model::Inventory& inventory, std::optional<uid_t> caller, std::ostream& out) {
  for (const model::Pod& pod : inventory.pods) {
    out << Sentence("value")
               .with("arg", kContainerArgument)
               .with("value", caller ? interface_value(pod) : "pod/" + pod.name)
               .with("display", display_text(pod));
  }
  for (const model::Container& c : inventory.containers) {
    if (!c.alive() || c.infra) continue;
    out << Sentence("value")
               .with("arg", kContainerArgument)
               .with("value", caller ? interface_value(c, *caller) : c.name)
               .with("display", display_text(c, caller.value_or(c.owner)));
  }
}

// What goes wrong is a value too: the dialog has no other place for it.
void write_far_inventory(const remote::FarHost& host, std::ostream& out) {
  const Result<model::Inventory> inventory = remote::list_there(host, remote::kListLimit);
  if (inventory) return write_inventory(*inventory, std::nullopt, out);
  out << Sentence("value")
             .with("arg", kContainerArgument)
             .with("value", "none")
             .with("display", inventory.error().line());
}

// The links of the running container that the interface stands for; none for groups.
void write_links(const std::string& interface, std::ostream& out) {
  write_all_links_value(out, kLinkArgument);
  const Result<Selection> selection = select({interface}, {});
  if (!selection || selection->targets.size() != 1 || !selection->targets.front().network.empty()) return;
  WorkerClient worker;
  const Result<NetnsSockets> sockets = worker.open(NetnsPlace::of(selection->targets.front().container),
                                                   {.netlink = 1, .raw = 0, .cooked = 0});
  if (!sockets) return;
  const Result<std::vector<model::Link>> links = kernel::list_links(sockets->netlink.at(0).get());
  if (!links) return;
  for (const model::Link& l : *links) {
    const std::string about = l.addresses.empty() ? l.kind : l.addresses.front();
    out << Sentence("value")
               .with("arg", kLinkArgument)
               .with("value", l.name)
               .with("display", l.name + (about.empty() ? "" : " \u00b7 " + about));
  }
}

}  // namespace

int verb_config(const std::string& interface, std::ostream& out) {
  if (is_choice(interface)) write_choice(out);
  const int next = write_link_arguments(out, kLinkArgument);
  if (interface == kChooseValue) write_remote(next, out);
  return 0;
}

int verb_reload(const ExtcapArguments& args, std::ostream& out) {
  constexpr int kUnknown = 2;
  const std::string option = args.get("extcap-reload-option");
  if (option == "link") {
    const std::string chosen = args.get("container");
    const std::string interface = args.get("extcap-interface");
    const Result<std::optional<remote::FarHost>> host = far_host(args);
    if (!host || *host) {  // podshark there tells no links of what it lists
      write_all_links_value(out, kLinkArgument);
      return 0;
    }
    write_links(interface == kChooseValue ? (chosen == "none" || chosen.empty() ? args.get("name") : chosen)
                                          : interface,
                out);
    return 0;
  }
  if (option != "container") return kUnknown;
  write_nobody_value(out);
  const Result<std::optional<remote::FarHost>> host = far_host(args);
  if (!host) {
    out << Sentence("value")
               .with("arg", kContainerArgument)
               .with("value", "none")
               .with("display", host.error().line());
  } else if (*host) {
    write_far_inventory(**host, out);
  } else {
    write_inventory(list_quickly().inventory, ::geteuid(), out);
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
