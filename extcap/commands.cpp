// SPDX-License-Identifier: GPL-2.0-or-later
#include <cxxopts.hpp>

#include "extcap/command.h"

namespace podshark::extcap {

void add_host(cxxopts::Options& table) {
  table.add_options()("host", "Run it on that machine, through ssh", cxxopts::value<std::string>(),
                      "[USER@]HOST[:PORT]");
}

std::span<const Command> commands() {
  static const Command kCommands[] = {
      {"list", "containers, pods, addresses and ports", cmd_list, list_options, true},
      {"capture", "capture in containers' network namespaces, as pcapng", cmd_capture, capture_options, false,
       kCaptureMore},
      {"top", "bandwidth, drops, retransmits and connections per container and peer", cmd_top, top_options,
       true, kTopMore},
      {"probe", "can it be reached: TCP, UDP, ping, DNS, path MTU, from the host or a container", cmd_probe,
       probe_options, true, kProbeMore},
      {"listen", "shows what arrives at a port of a container, and from whom", cmd_listen, listen_options,
       true},
      {"trace", "which firewall rules a packet meets, up to the one that drops it", cmd_trace, trace_options,
       true, kTraceMore},
      {"inventory", "save what runs now, to annotate captures with", cmd_inventory, inventory_options, true},
      {"annotate", "add container names to a capture that another program took", cmd_annotate,
       annotate_options},
      {"check", "what is wrong with a container's network, the evidence and the fix", cmd_check,
       check_options, true, kCheckMore},
      {"hosts", "remote hosts whose containers Wireshark lists: add, remove, ask again", cmd_hosts,
       hosts_options},
      {"doctor", "what is missing for capturing, and how to mend it", cmd_doctor, doctor_options, true},
  };
  return kCommands;
}

}  // namespace podshark::extcap
