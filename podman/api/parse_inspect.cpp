// SPDX-License-Identifier: GPL-2.0-or-later
#include <limits>

#include "podman/api/json_model.h"
#include "podman/api/json_read.h"
#include "podman/api/parse.h"

namespace podshark::api {
namespace {

using model::Attachment;
using model::Container;

void add_address(Attachment& a, const json& j, const char* address_key, const char* prefix_key) {
  std::string address = text(j, address_key);
  if (address.empty()) return;
  const std::uint64_t prefix = number(member(j, prefix_key), 128);
  if (prefix != 0) address += "/" + std::to_string(prefix);
  a.addresses.push_back(std::move(address));
}

// Stopped, host and none containers of 5.x carry an entry of empty strings: the name is kept, since it says
// which network a stopped container will join; discovery drops it where there is no network at all.
std::vector<Attachment> attachments_from(const json& networks) {
  std::vector<Attachment> out;
  if (!networks.is_object()) return out;
  for (const auto& [name, j] : networks.items()) {
    if (out.size() == kMaxAttachments) break;
    Attachment a;
    a.network = name.substr(0, kMaxName);
    a.mac = mac_text(member(j, "MacAddress"));
    add_address(a, j, "IPAddress", "IPPrefixLen");
    add_address(a, j, "GlobalIPv6Address", "GlobalIPv6PrefixLen");
    a.gateway = text(j, "Gateway");
    if (a.gateway.empty()) a.gateway = text(j, "IPv6Gateway");
    out.push_back(std::move(a));
  }
  return out;
}

// A name as typed: "nginx" for docker.io/library/nginx:latest.
bool names_image(const std::string& word, const std::string& image) {
  const auto fits = [&](const std::string& name) { return image == name || image.ends_with("/" + name); };
  return !word.empty() && (fits(word) || fits(word + ":latest"));
}

// What the user asked for: podman forgets ports that the network mode can not serve. Options end at the
// image; what follows are the container's own words, which may look the same.
void read_creation(const json& words, Container& c) {
  std::size_t left = kMaxCreationWords;
  bool address = false;
  for (const json& j : words.is_array() ? words : json::array()) {
    const std::string word = text(j);
    if (left-- == 0 || names_image(word, c.image)) return;
    if (address) c.asks_address = word;
    address = word == "--ip";
    if (word.starts_with("--ip=")) c.asks_address = word.substr(5);
    if (word == "-p" || word == "--publish" || word.starts_with("--publish=")) c.asks_ports = true;
  }
}

Container details_from(const json& j) {
  constexpr std::uint64_t kMaxPid = std::numeric_limits<pid_t>::max();
  Container c;
  c.id = id_text(member(j, "Id"));
  c.name = text(j, "Name");
  c.image = text(j, "ImageName", kMaxText);
  c.image_id = text(j, "Image");
  c.created_at = unix_time(member(j, "Created"));
  const json& state = member(j, "State");
  c.state = text(state, "Status");
  c.started_at = unix_time(member(state, "StartedAt"));
  c.pid = static_cast<pid_t>(number(member(state, "Pid"), kMaxPid));
  c.conmon_pid = static_cast<pid_t>(number(member(state, "ConmonPid"), kMaxPid));
  c.infra = flag(j, "IsInfra");
  c.pod_id = id_text(member(j, "Pod"));
  c.mode = text(member(j, "HostConfig"), "NetworkMode", kMaxText);
  const json& network = member(j, "NetworkSettings");
  // A rootless SandboxKey is an empty regular file outside podman's own mount namespace: of no use.
  const std::string sandbox = text(network, "SandboxKey", kMaxText);
  if (sandbox.starts_with("/run/netns/")) c.netns_path = sandbox;
  c.networks = attachments_from(member(network, "Networks"));
  c.error = text(state, "Error", kMaxText);
  const json& config = member(j, "Config");
  // `podman kube play` leaves no command behind; what of the name is whose, only the pod's name tells.
  if (!c.infra && !c.pod_id.empty() && !member(config, "CreateCommand").is_array())
    c.kubernetes.container = c.name;
  read_labels(member(config, "Labels"), c);
  read_creation(member(config, "CreateCommand"), c);
  return c;
}

}  // namespace

Result<Parsed<Container>> parse_inspect(std::string_view text) {
  return parse_items<Container>(text, "podman inspect", kMaxInspectBytes, kMaxContainers, details_from,
                                [](const Container& c) { return !c.id.empty(); });
}

}  // namespace podshark::api
