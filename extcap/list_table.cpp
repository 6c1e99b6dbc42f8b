// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/list_table.h"

#include <algorithm>
#include <ostream>
#include <vector>

#include "extcap/naming.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

using model::Container;
using model::Inventory;
using model::NetworkKind;

constexpr std::size_t kMaxCell = 60;    // bytes
constexpr std::size_t kMaxWide = 1024;  // names to be copied, several things in one cell
constexpr std::size_t kMaxItems = 4;    // addresses, ports, members in one cell

// Columns on screen: every character counts one.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

std::string cell(const std::string& text, std::size_t max_bytes = kMaxCell) {
  const std::string clean = one_line(text, max_bytes);
  return trim(clean).empty() ? "-" : clean;
}

// Whose network namespace the container is in: its own, or that of container:X and of pods.
const Container& netns_owner(const Container& c, const Inventory& inventory) {
  const Container* owner = &c;
  for (int depth = 0; depth < 8 && !owner->shares_with.empty(); ++depth) {
    const Container* next = inventory.by_id(owner->shares_with);
    if (next == nullptr) break;
    owner = next;
  }
  return *owner;
}

std::string addresses_cell(const Container& c, const Inventory& inventory) {
  std::vector<std::string> out;
  for (const model::Attachment& a : netns_owner(c, inventory).networks) {
    for (const std::string& address : a.addresses) out.push_back(address.substr(0, address.find('/')));
  }
  return joined_cell(out);
}

std::string ports_cell(const Container& c) {
  std::vector<std::string> out;
  for (const model::PortMapping& port : c.ports) out.push_back(model::to_string(port));
  return joined_cell(out);
}

// Of a container that Kubernetes' YAML describes, both its names there.
std::string pod_cell(const Container& c, const model::Pod* pod) {
  const std::string name = kubernetes_name(c);
  return cell(!name.empty() ? name : pod == nullptr ? "" : pod->name);
}

std::string name_of(const std::string& id, const Inventory& inventory) {
  const Container* c = inventory.by_id(id);
  return c == nullptr ? id.substr(0, 12) : c->name;
}

void write_pods(std::ostream& out, const Inventory& inventory) {
  Table rows({"POD", "STATE", "MEMBERS", "INTERFACE"});
  for (const model::Pod& pod : inventory.pods) {
    std::vector<std::string> members;
    for (const std::string& id : pod.members) {
      if (id != pod.infra_id) members.push_back(name_of(id, inventory));
    }
    rows.add({cell(pod.name), cell(pod.state), joined_cell(members), interface_value(pod)});
  }
  out << '\n';
  rows.write(out);
}

}  // namespace

void Table::add(std::vector<std::string> cells) {
  for (std::string& c : cells) c = cell(c, kMaxWide);
  rows_.push_back(std::move(cells));
}

void Table::write(std::ostream& out) const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out << row[i];
      if (i + 1 < row.size()) out << std::string(widths[i] - width(row[i]) + 2, ' ');
    }
    out << '\n';
  }
}

std::string joined_cell(const std::vector<std::string>& items) {
  std::string out;
  for (std::size_t i = 0; i < items.size() && i < kMaxItems; ++i)
    out += (i > 0 ? ", " : "") + one_line(items[i], kMaxCell);
  if (items.size() > kMaxItems) out += ", \u2026";
  return out.empty() ? "-" : out;
}

std::string network_cell(const Container& c, const Inventory& inventory) {
  if (c.kind == NetworkKind::unknown && c.limited) return "unknown";
  std::string out = model::to_string(c.kind);
  if (c.kind == NetworkKind::shared) {
    const Container* owner = inventory.by_id(c.shares_with);
    // Nobody knows infra containers by name; their network is the pod's.
    if (owner != nullptr && owner->infra && owner->kind != NetworkKind::shared) {
      return network_cell(*owner, inventory) + " of the pod";
    }
    return one_line("shared with " + name_of(c.shares_with, inventory), kMaxCell);
  }
  std::vector<std::string> names;
  for (const model::Attachment& a : c.networks) {
    if (!a.network.empty()) names.push_back(a.network);
  }
  return names.empty() ? out : out + " (" + joined_cell(names) + ")";
}

void write_table(std::ostream& out, const Inventory& inventory, uid_t caller, bool all) {
  Table rows({"NAME", "IMAGE", "STATE", "NETWORK", "ADDRESSES", "PORTS", "POD", "INTERFACE"});
  for (const Container& c : inventory.containers) {
    if (c.infra && !all) continue;
    const model::Pod* pod = c.pod_id.empty() ? nullptr : inventory.pod_by_id(c.pod_id);
    rows.add({cell(c.name), cell(c.image), cell(c.state, 20), network_cell(c, inventory),
              addresses_cell(c, inventory), ports_cell(c), pod_cell(c, pod),
              c.alive() ? interface_value(c, caller) : "-"});
  }
  if (rows.empty()) {
    out << (all ? "No containers.\n" : "No running containers ('podshark list --all' shows stopped ones).\n");
  } else {
    rows.write(out);
  }
  if (!inventory.pods.empty()) write_pods(out, inventory);
}

void write_notes(std::ostream& out, const Inventory& inventory) {
  for (const model::Problem& p : inventory.problems) {
    out << "note: " << one_line(p.hint.empty() ? p.what : p.what + " (" + p.hint + ")", 500) << '\n';
  }
  const auto limited = std::count_if(inventory.containers.begin(), inventory.containers.end(),
                                     [](const Container& c) { return c.limited && !c.rootless; });
  if (limited > 0) {
    out << "note: " << limited << " rootful container" << (limited == 1 ? " is" : "s are")
        << " shown without image, ports and pod (run as root to see them)\n";
  }
}

}  // namespace podshark::extcap
