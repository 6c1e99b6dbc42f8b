// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/host_listing.h"

#include <unistd.h>

#include <algorithm>
#include <map>

#include "extcap/directories.h"
#include "extcap/naming.h"
#include "extcap/private_file.h"
#include "podman/api/transport.h"
#include "podman/core/text.h"

namespace podshark::extcap::remote {
namespace {

constexpr std::string_view kHeader = "podshark-listing 1";
constexpr std::size_t kMaxBytes = std::size_t{4} << 20U;
constexpr std::size_t kMaxText = 200;  // of a container's description; the host's name is shown behind it
constexpr std::size_t kMaxName = 100;
constexpr std::size_t kShortId = 12;

std::string file_name(const FarHost& host) {
  std::string text = host.destination;
  for (const std::string& option : host.options) text += '\0' + option;
  return "/host-" + hex(fnv1a(text), 16);
}

// In a line: between tabs.
std::string field(const std::string& text, std::size_t max) {
  return one_line(text, max);
}

}  // namespace

std::vector<FarContainer> far_containers(const model::Inventory& inventory) {
  std::map<std::string, int> bearers;
  for (const model::Container& c : inventory.containers) {
    if (c.alive() && !c.infra) ++bearers[c.name];
  }
  std::vector<FarContainer> out;
  for (const model::Container& c : inventory.containers) {
    if (!c.alive() || c.infra) continue;
    const bool clear = bearers[c.name] == 1 && c.name.size() <= kMaxName && api::is_podman_name(c.name);
    const std::string name = clear ? c.name : c.id.substr(0, kShortId);
    const bool word = names_a_group(name);
    if (name.empty()) continue;
    out.push_back({name, clear && !word ? c.name : c.id, display_text(c, c.owner)});
  }
  return out;
}

std::string encode_listing(const std::vector<FarContainer>& containers) {
  std::string out(kHeader);
  out += '\n';
  for (const FarContainer& c : containers)
    out +=
        field(c.name, kMaxText) + '\t' + field(c.target, kMaxText) + '\t' + field(c.display, kMaxText) + '\n';
  return out;
}

std::optional<std::vector<FarContainer>> decode_listing(std::string_view text) {
  const std::vector<std::string> lines = split(text, '\n');
  if (lines.front() != kHeader) return std::nullopt;
  std::vector<FarContainer> out;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    std::vector<std::string> fields = split(lines[i], '\t');
    if (fields.size() != 3 || fields[0].empty() || fields[1].empty()) continue;
    out.push_back({std::move(fields[0]), std::move(fields[1]), std::move(fields[2])});
  }
  return out;
}

std::optional<HostListing> read_listing(const FarHost& host) {
  const std::optional<PrivateFile> file = read_private_file(cache_path() + file_name(host), kMaxBytes);
  if (!file) return std::nullopt;
  std::optional<std::vector<FarContainer>> containers = decode_listing(file->text);
  if (!containers) return std::nullopt;
  return HostListing{std::move(*containers), file->age};
}

Status write_listing(const FarHost& host, const model::Inventory& inventory) {
  const Result<std::string> directory = cache_directory();
  if (!directory) return directory.error();
  return replace_file(*directory + file_name(host), encode_listing(far_containers(inventory)));
}

void forget_listing(const FarHost& host) {
  (void)::unlink((cache_path() + file_name(host)).c_str());
}

std::string age_text(std::chrono::milliseconds age) {
  using std::chrono::duration_cast;
  const auto minutes = duration_cast<std::chrono::minutes>(age).count();
  if (age == std::chrono::milliseconds::max()) return "at a time unknown";
  if (minutes < 5) return {};
  if (minutes < 120) return std::to_string(minutes) + " min ago";
  if (minutes < 48 * 60) return std::to_string(minutes / 60) + " h ago";
  return std::to_string(minutes / (24 * 60)) + " d ago";
}

}  // namespace podshark::extcap::remote
