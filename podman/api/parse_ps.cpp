// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <limits>

#include "podman/api/json_model.h"
#include "podman/api/json_read.h"
#include "podman/api/parse.h"

namespace podshark::api {
namespace {

std::vector<model::PortMapping> ports_from(const json& list) {
  std::vector<model::PortMapping> out;
  for (const json& j : list) {
    if (out.size() == kMaxPorts) break;
    model::PortMapping port;
    port.host_ip = text(j, "host_ip");
    if (port.host_ip == "0.0.0.0") port.host_ip.clear();
    port.host_port = static_cast<std::uint16_t>(number(member(j, "host_port"), 65535));
    port.container_port = static_cast<std::uint16_t>(number(member(j, "container_port"), 65535));
    port.range = static_cast<std::uint16_t>(number(member(j, "range"), 65535));
    if (port.range == 0) port.range = 1;
    port.protocol = text(j, "protocol");
    if (port.protocol.empty()) port.protocol = "tcp";
    if (port.container_port != 0) out.push_back(std::move(port));
  }
  return out;
}

PsRow row_from(const json& j) {
  PsRow row;
  model::Container& c = row.container;
  c.id = id_text(member(j, "Id"));
  const json& names = children(j, "Names");
  if (!names.empty()) c.name = text(*names.begin());
  c.image = text(j, "Image", kMaxText);
  c.image_id = text(j, "ImageID");
  c.state = text(j, "State");
  c.created_at = unix_time(member(j, "Created"));
  c.started_at = unix_time(member(j, "StartedAt"));
  c.pid = static_cast<pid_t>(number(member(j, "Pid"), std::numeric_limits<pid_t>::max()));
  c.netns = number(member(member(j, "Namespaces"), "Net"), std::numeric_limits<std::uint64_t>::max());
  c.infra = flag(j, "IsInfra");
  c.pod_id = id_text(member(j, "Pod"));
  read_labels(member(j, "Labels"), c);
  for (const json& network : children(j, "Networks")) {
    if (c.networks.size() == kMaxAttachments) break;
    model::Attachment attachment;
    attachment.network = text(network);
    if (!attachment.network.empty()) c.networks.push_back(std::move(attachment));
  }
  std::sort(c.networks.begin(), c.networks.end(),  // podman's order changes from call to call
            [](const auto& a, const auto& b) { return a.network < b.network; });
  c.ports = ports_from(children(j, "Ports"));
  row.pod_name = text(j, "PodName");
  return row;
}

}  // namespace

Result<Parsed<PsRow>> parse_ps(std::string_view text) {
  return parse_items<PsRow>(text, "podman ps", kMaxListBytes, kMaxContainers, row_from,
                            [](const PsRow& row) { return !row.container.id.empty(); });
}

}  // namespace podshark::api
