// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/annotate/redact.h"

#include "podman/annotate/record.h"
#include "podman/core/text.h"

namespace podshark::annotate {
namespace {

constexpr std::size_t kMostInfo = 1000;  // bytes
constexpr const char* kLeftOut = "(left out for sharing)";

RedactedRecord redact_inventory(InventoryPart read) {
  redact(read.inventory);
  json j = json::parse(encode_inventory(read.inventory));
  j["part"] = read.part;
  j["parts"] = read.parts;
  return {inventory_info(read.inventory, read.part, read.parts), dump(j)};
}

// Sentences may name files, and machines; a mark is the user's own words.
RedactedRecord redact_event(json j) {
  const std::string kind = j.at("kind").get<std::string>();
  const std::string host = j.value("host", std::string());
  const auto tells = [&](const std::string& text) {
    return text.find('/') != std::string::npos || (!host.empty() && text.find(host) != std::string::npos);
  };
  std::string detail = j.value("detail", std::string());
  if (kind != "mark" && tells(detail)) {
    detail = kLeftOut;
    j["detail"] = detail;
  }
  if (tells(j.value("fix", std::string()))) j.erase("fix");
  j.erase("host");
  return {one_line(detail.empty() ? kind : kind + ": " + detail, kMostInfo), dump(j)};
}

}  // namespace

void redact(model::Inventory& inventory) {
  inventory.host.clear();
  for (model::Pod& pod : inventory.pods) pod.host.clear();
  for (model::Network& n : inventory.networks) n.host.clear();
  for (model::Container& c : inventory.containers) {
    c.host.clear();
    c.labels.clear();
    c.netns_path.clear();
    c.error.clear();  // may name files
    if (c.mode.compare(0, 3, "ns:") == 0) c.mode = "ns";
    if (c.image.compare(0, 1, "/") == 0) c.image.clear();
  }
  for (model::Problem& p : inventory.problems) {
    p.what = kLeftOut;
    p.hint.clear();
  }
}

std::optional<RedactedRecord> redact_record(std::string_view text) {
  try {
    json j = parse_record(text);
    if (is_inventory(j)) return redact_inventory(inventory_from(j));
    return redact_event(std::move(j));
  } catch (const std::exception&) {  // nlohmann::json throws; it ends here
    return std::nullopt;
  }
}

std::optional<RedactedInterface> redact_interface(std::string_view name, std::string_view description) {
  const std::size_t at = name.find('@');
  const std::string_view maker = name.substr(0, at);
  if (at == std::string_view::npos || (maker != "podman" && maker != "podman-root")) return std::nullopt;
  // The host may have colons too: its own word is the better witness.
  std::size_t end = name.rfind(':');
  RedactedInterface out;
  for (const std::string& word : split(description, ' ')) {
    if (word.starts_with("host=")) {
      const std::size_t behind = at + 1 + word.size() - 5;
      if (name.substr(at + 1, word.size() - 5) == word.substr(5) && name.substr(behind, 1) == ":")
        end = behind;
    } else {
      out.description += (out.description.empty() ? "" : " ") + word;
    }
  }
  if (end == std::string_view::npos || end < at) end = name.size();
  out.name = std::string(maker) + std::string(name.substr(end));
  return out;
}

}  // namespace podshark::annotate
