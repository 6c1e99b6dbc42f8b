// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/annotate/codec.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "podman/core/text.h"

namespace podshark::annotate {
namespace {

using json = nlohmann::ordered_json;
using model::Attachment;
using model::Container;
using model::Inventory;
using model::Network;
using model::Pod;
using model::PortMapping;
using model::Problem;

std::string dump(const json& j) {
  return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

// ---- encode: what is empty, zero or false stays away -------------------------------------------------

void put(json& j, const char* key, const std::string& value) {
  if (!value.empty()) j[key] = value;
}
void put_number(json& j, const char* key, std::int64_t value) {
  if (value != 0) j[key] = value;
}
void put_number(json& j, const char* key, std::uint64_t value) {
  if (value != 0) j[key] = value;
}
void put_flag(json& j, const char* key, bool value) {
  if (value) j[key] = true;
}
template <typename List>
void put_list(json& j, const char* key, const List& list) {
  if (!list.empty()) j[key] = list;
}

json to_json(const PortMapping& p) {
  json j = json::object();
  put(j, "host_ip", p.host_ip);
  j["host_port"] = p.host_port;
  j["container_port"] = p.container_port;
  j["range"] = p.range;
  j["protocol"] = p.protocol;
  return j;
}

json to_json(const Attachment& a) {
  json j = json::object();
  put(j, "network", a.network);
  put(j, "interface", a.interface);
  put(j, "mac", a.mac);
  put_list(j, "addresses", a.addresses);
  put(j, "gateway", a.gateway);
  return j;
}

json to_json(const Container& c) {
  json j = json::object();
  put(j, "id", c.id);
  put(j, "name", c.name);
  put(j, "image", c.image);
  put(j, "image_id", c.image_id);
  put(j, "state", c.state);
  put_number(j, "created_at", c.created_at);
  put_number(j, "started_at", c.started_at);
  put_number(j, "pid", std::int64_t{c.pid});
  put_number(j, "pid_start", c.pid_start);
  put_number(j, "conmon_pid", std::int64_t{c.conmon_pid});
  put_number(j, "netns", c.netns);
  put(j, "netns_path", c.netns_path);
  put_number(j, "owner", std::uint64_t{c.owner});
  put_flag(j, "rootless", c.rootless);
  put_flag(j, "limited", c.limited);
  put_flag(j, "infra", c.infra);
  put(j, "pod_id", c.pod_id);
  put(j, "mode", c.mode);
  j["kind"] = model::to_string(c.kind);
  put(j, "shares_with", c.shares_with);
  put(j, "systemd_unit", c.systemd_unit);
  put(j, "compose_project", c.compose_project);
  put(j, "compose_service", c.compose_service);
  for (const Attachment& a : c.networks) j["networks"].push_back(to_json(a));
  for (const PortMapping& p : c.ports) j["ports"].push_back(to_json(p));
  if (!c.labels.empty()) j["labels"] = c.labels;
  return j;
}

json to_json(const Pod& p) {
  json j = json::object();
  put(j, "id", p.id);
  put(j, "name", p.name);
  put(j, "state", p.state);
  put(j, "infra_id", p.infra_id);
  put_list(j, "members", p.members);
  return j;
}

json to_json(const Network& n) {
  json j = json::object();
  put(j, "id", n.id);
  put(j, "name", n.name);
  put(j, "driver", n.driver);
  put(j, "bridge", n.bridge);
  put_list(j, "subnets", n.subnets);
  put_flag(j, "internal", n.internal);
  return j;
}

json to_json(const Problem& p) {
  json j = json::object();
  put(j, "source", p.source);
  put(j, "what", p.what);
  put(j, "hint", p.hint);
  return j;
}

json header(const char* kind, std::int64_t time_ns) {
  return json{{"podshark", kSchemaVersion}, {"kind", kind}, {"time", rfc3339(time_ns)}};
}

// ---- decode: a missing key is its default, a wrong type throws and ends in decode_inventory -----------

template <typename T>
void get(const json& j, const char* key, T& out) {
  if (const auto it = j.find(key); it != j.end()) out = it->template get<T>();
}
template <typename T>
void get_unsigned(const json& j, const char* key, T& out) {
  const auto it = j.find(key);
  if (it == j.end()) return;
  if (!it->is_number_unsigned() || it->template get<std::uint64_t>() > std::numeric_limits<T>::max()) {
    throw std::out_of_range(std::string("'") + key + "' is not a number in range");
  }
  out = it->template get<T>();
}

template <typename T, typename From>
void list_from(const json& j, const char* key, std::vector<T>& out, From from) {
  const auto it = j.find(key);
  if (it == j.end()) return;
  if (!it->is_array()) throw std::out_of_range(std::string("'") + key + "' is not a list");
  for (const json& element : *it) {
    if (!element.is_object())
      throw std::out_of_range(std::string("'") + key + "' holds something else than objects");
    out.push_back(from(element));
  }
}

PortMapping port_from(const json& j) {
  PortMapping p;
  get(j, "host_ip", p.host_ip);
  get_unsigned(j, "host_port", p.host_port);
  get_unsigned(j, "container_port", p.container_port);
  get_unsigned(j, "range", p.range);
  get(j, "protocol", p.protocol);
  return p;
}

Attachment attachment_from(const json& j) {
  Attachment a;
  get(j, "network", a.network);
  get(j, "interface", a.interface);
  get(j, "mac", a.mac);
  get(j, "addresses", a.addresses);
  get(j, "gateway", a.gateway);
  return a;
}

Container container_from(const json& j) {
  Container c;
  get(j, "id", c.id);
  get(j, "name", c.name);
  get(j, "image", c.image);
  get(j, "image_id", c.image_id);
  get(j, "state", c.state);
  get(j, "created_at", c.created_at);
  get(j, "started_at", c.started_at);
  get_unsigned(j, "pid", c.pid);
  get_unsigned(j, "pid_start", c.pid_start);
  get_unsigned(j, "conmon_pid", c.conmon_pid);
  get_unsigned(j, "netns", c.netns);
  get(j, "netns_path", c.netns_path);
  get_unsigned(j, "owner", c.owner);
  get(j, "rootless", c.rootless);
  get(j, "limited", c.limited);
  get(j, "infra", c.infra);
  get(j, "pod_id", c.pod_id);
  get(j, "mode", c.mode);
  std::string kind;
  get(j, "kind", kind);
  c.kind = model::network_kind(kind);
  get(j, "shares_with", c.shares_with);
  get(j, "systemd_unit", c.systemd_unit);
  get(j, "compose_project", c.compose_project);
  get(j, "compose_service", c.compose_service);
  list_from(j, "networks", c.networks, attachment_from);
  list_from(j, "ports", c.ports, port_from);
  get(j, "labels", c.labels);
  return c;
}

Pod pod_from(const json& j) {
  Pod p;
  get(j, "id", p.id);
  get(j, "name", p.name);
  get(j, "state", p.state);
  get(j, "infra_id", p.infra_id);
  get(j, "members", p.members);
  return p;
}

Network network_from(const json& j) {
  Network n;
  get(j, "id", n.id);
  get(j, "name", n.name);
  get(j, "driver", n.driver);
  get(j, "bridge", n.bridge);
  get(j, "subnets", n.subnets);
  get(j, "internal", n.internal);
  return n;
}

Problem problem_from(const json& j) {
  Problem p;
  get(j, "source", p.source);
  get(j, "what", p.what);
  get(j, "hint", p.hint);
  return p;
}

// RFC 3339 as rfc3339() writes it; anything else is 0.
std::int64_t time_from(const std::string& text) {
  std::tm tm{};
  unsigned long nanos = 0;
  int used = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%9luZ%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                  &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &nanos, &used) != 7 ||
      static_cast<std::size_t>(used) != text.size()) {
    return 0;
  }
  tm.tm_year -= 1900;
  tm.tm_mon -= 1;
  return std::int64_t{timegm(&tm)} * 1'000'000'000 + static_cast<std::int64_t>(nanos);
}

// Pieces are filled first-fit in order; `close` starts the next part.
class PartBuilder {
 public:
  explicit PartBuilder(json base) : base_(std::move(base)) { base_size_ = dump(base_).size() + 64; }

  void add(const char* list, json element) {
    std::size_t size = dump(element).size() + 1;
    if (base_size_ + size > kMaxPayload && element.contains("labels")) {
      element.erase("labels");
      size = dump(element).size() + 1;
    }
    if (base_size_ + size > kMaxPayload) return;  // nothing of such a size is a name any more
    if (parts_.empty() || used_ + size > kMaxPayload) {
      parts_.push_back(base_);
      used_ = base_size_;
    }
    used_ += size + (parts_.back().contains(list) ? 0 : 16);
    parts_.back()[list].push_back(std::move(element));
  }

  std::vector<json> take() {
    if (parts_.empty()) parts_.push_back(base_);
    return std::move(parts_);
  }

 private:
  json base_;
  std::size_t base_size_ = 0;
  std::size_t used_ = 0;
  std::vector<json> parts_;
};

void tag(std::string& out, unsigned number, std::string_view value) {
  const std::size_t padded = (value.size() + 3) & ~std::size_t{3};
  const auto be16 = [&](std::size_t v) {
    out += static_cast<char>((v >> 8) & 0xFF);
    out += static_cast<char>(v & 0xFF);
  };
  be16(number);
  be16(padded);
  out += value;
  out.append(padded - value.size(), '\0');
}

}  // namespace

std::string rfc3339(std::int64_t time_ns) {
  const std::time_t seconds = static_cast<std::time_t>(time_ns / 1'000'000'000);
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  std::array<char, 80> text{};
  const int n = std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ",
                              tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                              static_cast<long>(time_ns % 1'000'000'000));
  return {text.data(), static_cast<std::size_t>(n)};
}

std::string encode_inventory(const Inventory& inventory) {
  json j = header("inventory", inventory.time_ns);
  put(j, "host", inventory.host);
  j["containers"] = json::array();
  for (const Container& c : inventory.containers) j["containers"].push_back(to_json(c));
  j["pods"] = json::array();
  for (const Pod& p : inventory.pods) j["pods"].push_back(to_json(p));
  j["networks"] = json::array();
  for (const Network& n : inventory.networks) j["networks"].push_back(to_json(n));
  j["problems"] = json::array();
  for (const Problem& p : inventory.problems) j["problems"].push_back(to_json(p));
  return dump(j);
}

std::vector<std::string> encode_inventory_parts(const Inventory& inventory) {
  json base = header("inventory", inventory.time_ns);
  base["part"] = 1;
  base["parts"] = 1;
  put(base, "host", one_line(inventory.host, 255));
  PartBuilder builder(std::move(base));
  for (const Network& n : inventory.networks) builder.add("networks", to_json(n));
  for (const Pod& p : inventory.pods) builder.add("pods", to_json(p));
  for (const Container& c : inventory.containers) builder.add("containers", to_json(c));
  for (const Problem& p : inventory.problems) builder.add("problems", to_json(p));
  std::vector<std::string> out;
  std::vector<json> parts = builder.take();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i]["part"] = i + 1;
    parts[i]["parts"] = parts.size();
    out.push_back(dump(parts[i]));
  }
  return out;
}

Result<InventoryPart> decode_inventory(std::string_view text) {
  const auto bad = [](const std::string& why) {
    return Error{ErrorKind::internal, "not a podshark inventory: " + one_line(why, 200), {}};
  };
  if (text.size() > kMaxInventoryJson)
    return bad("larger than " + std::to_string(kMaxInventoryJson) + " bytes");
  try {
    const json j = json::parse(text);
    if (!j.is_object() || j.value("kind", std::string()) != "inventory")
      return bad("kind is not 'inventory'");
    if (j.value("podshark", 0) < 1) return bad("no schema version");
    if (j.value("podshark", 0) > kSchemaVersion) return bad("written by a newer podshark");
    InventoryPart out;
    get_unsigned(j, "part", out.part);
    get_unsigned(j, "parts", out.parts);
    out.inventory.time_ns = time_from(j.value("time", std::string()));
    get(j, "host", out.inventory.host);
    list_from(j, "containers", out.inventory.containers, container_from);
    list_from(j, "pods", out.inventory.pods, pod_from);
    list_from(j, "networks", out.inventory.networks, network_from);
    list_from(j, "problems", out.inventory.problems, problem_from);
    return out;
  } catch (const std::exception& e) {  // nlohmann::json throws; it ends here
    return bad(e.what());
  }
}

std::string encode_event(const Event& event) {
  json j = header(event.kind.c_str(), event.time_ns);
  put(j, "what", event.what);
  put(j, "container_id", event.container_id);
  put(j, "container", event.container);
  put(j, "link", event.link);
  put(j, "detail", event.detail);
  for (const Event::LinkStats& l : event.links) {
    j["links"].push_back(
        json{{"container", l.container}, {"link", l.link}, {"received", l.received}, {"dropped", l.dropped}});
  }
  return dump(j);
}

std::string encode_interface(const Interface& interface) {
  json j{{"podshark", kSchemaVersion}, {"kind", "interface"}};
  put(j, "container_id", interface.container_id);
  put(j, "container", interface.container);
  put(j, "pod", interface.pod);
  put(j, "link", interface.link);
  put(j, "point", interface.point);
  put(j, "mac", interface.mac);
  put_list(j, "addresses", interface.addresses);
  put_number(j, "netns", interface.netns);
  return dump(j);
}

std::string inventory_info(const Inventory& inventory, unsigned part, unsigned parts) {
  const auto count = [](std::size_t n, const std::string& noun) {
    return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
  };
  std::string info = "inventory: " + count(inventory.containers.size(), "container");
  if (!inventory.pods.empty()) info += ", " + count(inventory.pods.size(), "pod");
  if (parts > 1) info += " (part " + std::to_string(part) + " of " + std::to_string(parts) + ")";
  return info;
}

std::string upper_pdu(std::string_view info, std::string_view json_text) {
  // Tag numbers: epan/exported_pdu.h, EXP_PDU_TAG_*.
  constexpr unsigned kDissectorName = 12;
  constexpr unsigned kColumnProtocol = 33;
  constexpr unsigned kColumnInfo = 36;
  std::string out;
  tag(out, kDissectorName, "json");
  tag(out, kColumnProtocol, "Podman");
  tag(out, kColumnInfo, one_line(info, 240));
  tag(out, 0, "");
  out += json_text;
  return out;
}

}  // namespace podshark::annotate
