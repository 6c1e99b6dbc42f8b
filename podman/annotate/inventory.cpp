// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/annotate/codec.h"
#include "podman/annotate/model_json.h"
#include "podman/annotate/record.h"
#include "podman/core/text.h"

namespace podshark::annotate {
namespace {

using model::Container;
using model::Inventory;
using model::Network;
using model::Pod;
using model::Problem;

// Parts are filled in order; an element that does not fit starts the next one.
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

json head(const Inventory& inventory) {
  json j = record("inventory", inventory.time_ns);
  if (inventory.taken_ns != 0) j["taken"] = rfc3339(inventory.taken_ns);
  return j;
}

}  // namespace

std::string encode_inventory(const Inventory& inventory) {
  json j = head(inventory);
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
  json base = head(inventory);
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

InventoryPart inventory_from(const json& j) {
  InventoryPart out;
  get_unsigned(j, "part", out.part);
  get_unsigned(j, "parts", out.parts);
  out.inventory.time_ns = time_from(j.value("time", std::string()));
  out.inventory.taken_ns = time_from(j.value("taken", std::string()));
  get(j, "host", out.inventory.host);
  list_from(j, "containers", out.inventory.containers, container_from);
  list_from(j, "pods", out.inventory.pods, pod_from);
  list_from(j, "networks", out.inventory.networks, network_from);
  list_from(j, "problems", out.inventory.problems, problem_from);
  return out;
}

Result<InventoryPart> decode_inventory(std::string_view text) {
  try {
    const json j = parse_record(text);
    if (!is_inventory(j)) throw std::out_of_range("kind is not 'inventory'");
    return inventory_from(j);
  } catch (const std::exception& e) {  // nlohmann::json throws; it ends here
    return Error{ErrorKind::internal, "not a podshark inventory: " + one_line(e.what(), 200), {}};
  }
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

}  // namespace podshark::annotate
