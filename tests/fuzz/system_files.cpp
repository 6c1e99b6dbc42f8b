// SPDX-License-Identifier: GPL-2.0-or-later
// libFuzzer target: tables of /proc, configuration files and file attributes, some of which a container has
// made itself. The first byte of the input chooses the file.
#include <filesystem>

#include "extcap/doctor/scene.h"
#include "extcap/probe/names.h"
#include "extcap/trace/loggers.h"
#include "podman/discover/discover.h"
#include "podman/discover/proc_net.h"
#include "podman/discover/proc_sockets.h"
#include "podman/discover/storage.h"
#include "podman/drops/counters.h"
#include "podman/kernel/listeners.h"
#include "podman/kernel/protocol_counters.h"
#include "podman/kernel/tcp_table.h"
#include "tests/fuzz/clean.h"
#include "tests/unit/discover/fake_proc.h"

namespace {

using namespace podshark;
using fuzz::require;

void net_tables(std::string_view text) {
  (void)discover::parse_fib_trie(text);
  (void)discover::parse_routes(text);
  for (const auto& a : discover::parse_if_inet6(text)) require(a.address.find('/') != std::string::npos);
  (void)discover::parse_dev(text);
}

void sockets(std::string_view text) {
  for (const bool udp : {false, true}) {
    (void)discover::parse_sockets(text, udp);
    std::vector<model::Listener> listeners;
    for (const bool v6 : {false, true}) kernel::add_listeners(text, udp, v6, listeners);
  }
  std::vector<kernel::TcpSocket> table;
  kernel::add_tcp_sockets(text, table);
  require(kernel::count_connections(table) <= table.size());
  const auto ports = kernel::listening_ports(table);
  require(std::is_sorted(ports.begin(), ports.end()));
}

void counters(std::string_view text) {
  kernel::ProtocolCounters totals;
  kernel::add_snmp(text, totals);
  kernel::add_snmp6(text, totals);
  drops::Counters all;
  drops::add_counters(text, all);
  drops::add_link_counters(text, all);
  drops::add_conntrack_counters(text, all);
  drops::add_softnet_counters(text, all);
  drops::Counters before = all;
  for (auto& [name, count] : before) count = 0;
  (void)drops::losses(before, all, /* events= */ false);
}

void name_service(std::string_view text) {
  extcap::probing::NameService names;
  extcap::probing::parse_resolv_conf(text, names);
  extcap::probing::parse_hosts(text, names);
  require(names.servers.size() <= 3 && names.search.size() <= 6);
  require(names.hosts.size() <= extcap::probing::kMaxHosts);
  for (const std::string& name : extcap::probing::with_search(names, "web")) require(name.size() <= 256);
}

void doctors(std::string_view text) {
  namespace doctor = extcap::doctor;
  doctor::Wireshark wireshark;
  doctor::parse_folders(text, wireshark);
  (void)doctor::parse_loaded_plugins(text);
  (void)doctor::parse_version(text);
  doctor::Caller caller;
  doctor::parse_status(text, caller);
  (void)doctor::has_subordinate_range(text, caller);
  (void)doctor::allows_user_namespaces(text);
  (void)doctor::free_subordinate_ids(text, text);
  (void)doctor::parse_file_caps(text);
  (void)extcap::tracing::from_text(std::string(text));
}

// conmon's command line is its own, but names in it are a stranger's; what its container shows is all his.
void processes(fuzz::Input input) {
  static const test::FakeProc proc;
  static const bool made = (proc.container(100, 812, std::string(64, 'a'), "web"), true);
  require(made);
  proc.write("100/cmdline",
             input.text() + std::string("\0-c\0aaaaaaaaaaaa\0", 17) + std::string(input.rest()));
  for (const char* file : {"812/stat", "812/status", "812/net/dev", "812/net/route", "812/net/fib_trie",
                           "812/net/if_inet6", "812/cmdline"})
    proc.write(file, input.text());
  fuzz::usable(discover::scan_conmon(proc.path()));
}

void storage(std::string_view text) {
  static const test::TempTree tree;
  tree.write("etc/containers/storage.conf", std::string(text));
  discover::User user;
  user.uid = 1000;
  user.home = "/home/me";
  user.config_home = tree.path() + "/etc";
  user.data_home = "/home/me/.local/share";
  require(!discover::graph_root(user, tree.path()).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  switch (input.byte() % 7) {
    case 0:
      net_tables(input.rest());
      break;
    case 1:
      sockets(input.rest());
      break;
    case 2:
      counters(input.rest());
      break;
    case 3:
      name_service(input.rest());
      break;
    case 4:
      doctors(input.rest());
      break;
    case 5:
      processes(input);
      break;
    default:
      storage(input.rest());
  }
  return 0;
}
