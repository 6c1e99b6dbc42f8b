// SPDX-License-Identifier: GPL-2.0-or-later
// libFuzzer target: what podman, its REST service, netavark and kubectl answer. The first byte of the input
// chooses the question; of several answers a byte 0 ends each.
#include "extcap/kube/pods.h"
#include "extcap/remote/listed_host.h"
#include "podman/api/limits.h"
#include "podman/api/netavark.h"
#include "podman/api/parse.h"
#include "podman/api/parse_kube.h"
#include "podman/api/rest_socket.h"
#include "podman/discover/discover.h"
#include "tests/fuzz/clean.h"

namespace {

using namespace podshark;
using fuzz::clean;
using fuzz::require;

bool is_id(const std::string& text) {
  return text.empty() || (text.size() >= 12 && text.size() <= 64 &&
                          text.find_first_not_of("0123456789abcdef") == std::string::npos);
}

template <typename T>
bool understood(const Result<api::Parsed<T>>& parsed) {
  if (!parsed) clean(parsed.error());
  if (parsed) {
    for (const std::string& note : parsed->notes) clean(note);
  }
  return static_cast<bool>(parsed);
}

void check(const model::Container& c) {
  require(is_id(c.id) && c.name.size() <= api::kMaxName && c.ports.size() <= api::kMaxPorts);
  require(c.labels.size() <= api::kMaxLabels && c.networks.size() <= api::kMaxAttachments);
}

void inventory(fuzz::Input input) {
  discover::PodmanSaid own{1000, input.text(), input.text(), input.text(), input.text()};
  discover::PodmanSaid root{0, input.text(), own.inspect, own.networks, own.pods};
  fuzz::usable(discover::read_answers({std::move(own), std::move(root)}, /* all= */ true));
}

void kubernetes(std::string_view text) {
  const auto pods = api::parse_kube_pods(text);
  if (!understood(pods)) return;
  for (const model::KubePod& p : pods->items) {
    require(api::is_kube_name(p.name) && api::is_kube_name(p.name_space));
    require(p.containers.size() <= api::kMaxKubeContainers);
    for (const model::KubeContainer& c : p.containers) require(api::is_kube_name(c.name) && is_id(c.id));
  }
  fuzz::usable(extcap::kube::inventory_of(pods->items, {}, /* all= */ true));
  std::ostringstream table;
  extcap::kube::write_pods(table, pods->items, {}, /* all= */ true);
  for (const std::string& line : split(table.str(), '\n')) clean(line);
}

void connections(std::string_view text) {
  const auto known = api::parse_connections(text);
  if (!understood(known)) return;
  const extcap::remote::ListedHosts hosts = extcap::remote::listed_hosts({}, known->items, {});
  for (const auto& h : hosts.hosts) {
    require(!h.host.destination.empty() && h.host.destination.front() != '-');
    clean(h.host.name);
    clean(h.from);
  }
  for (const std::string& note : hosts.notes) clean(note);
}

void event(std::string_view text) {
  const auto seen = api::parse_container_event(text);
  if (!seen) return clean(seen.error());
  check(seen->container);
}

void ports(std::string_view text) {
  const auto known = api::parse_netavark_ports(text);
  if (known) require(known->ports.size() <= api::kMaxPorts);
}

void http(std::string_view text) {
  const auto answer = api::parse_http(text);
  if (!answer) return clean(answer.error());
  require(answer->body.size() <= text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  switch (input.byte() % 9) {
    case 0:
      inventory(input);
      break;
    case 1:
      if (const auto rows = api::parse_ps(input.rest()); understood(rows)) {
        for (const api::PsRow& row : rows->items) check(row.container);
      }
      break;
    case 2:
      if (const auto containers = api::parse_inspect(input.rest()); understood(containers)) {
        for (const model::Container& c : containers->items) check(c);
      }
      break;
    case 3:
      if (const auto networks = api::parse_networks(input.rest()); understood(networks)) {
        for (const api::NetworkDetails& n : networks->items) require(n.network.name.size() <= api::kMaxName);
      }
      break;
    case 4:
      kubernetes(input.rest());
      break;
    case 5:
      connections(input.rest());
      break;
    case 6:
      event(input.rest());
      break;
    case 7:
      ports(input.rest());
      break;
    default:
      http(input.rest());
  }
  return 0;
}
