// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/hosts.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>

#include "extcap/detached.h"
#include "extcap/directories.h"
#include "extcap/naming.h"
#include "extcap/private_file.h"
#include "extcap/remote/far_run.h"
#include "extcap/remote/host_listing.h"
#include "extcap/remote/survey.h"
#include "podman/annotate/inventory_file.h"
#include "podman/api/limits.h"
#include "podman/api/podman_cli.h"
#include "podman/core/proc.h"
#include "podman/core/process.h"
#include "podman/core/text.h"

namespace podshark::extcap::remote {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kConnectionsFresh{60'000};
constexpr std::chrono::seconds kPodmanLimit{5};
constexpr std::size_t kMostListed = std::size_t{16} << 20U;  // bytes; parsed it is thirty times that
constexpr const char* kConnections = "/connections.json";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// A link is followed: it may lead to where a user keeps his settings.
std::string real_path(const std::string& path) {
  std::array<char, PATH_MAX> buffer{};
  return ::realpath(path.c_str(), buffer.data()) != nullptr ? std::string(buffer.data()) : path;
}

bool is_listed(const FarHost& host) {
  const ListedHosts known = load_hosts();
  return std::any_of(known.hosts.begin(), known.hosts.end(),
                     [&](const ListedHost& h) { return h.host == host; });
}

Result<model::Inventory> ask(const FarHost& host, milliseconds limit) {
  const Result<std::optional<std::string>> text = output_there(host, {"list", "--json"}, limit);
  if (!text) return text.error();
  if (*text && (*text)->size() > kMostListed)
    return Error{
        ErrorKind::unsupported, host.name + " lists more than podshark reads from another machine", {}};
  if (*text) return annotate::whole_inventory(trim(**text), host.name);
  Result<FarFacts> facts = survey(host, /* all= */ false);
  if (!facts) return facts.error();
  return std::move(facts->inventory);
}

}  // namespace

std::string book_path() {
  const std::string directory = config_path();
  return directory.empty() ? directory : directory + "/hosts";
}

Result<HostBook> read_book() {
  const std::string path = book_path();
  if (path.empty() || ::access(path.c_str(), F_OK) != 0) return HostBook();
  const Result<std::string> text = read_file(path, HostBook::kMaxBytes);
  if (!text) return text.error();
  return HostBook::parse(*text);
}

Status write_book(const HostBook& book) {
  const Result<std::string> directory = config_directory();
  if (!directory) return directory.error();
  return replace_file(real_path(*directory + "/hosts"), book.text());
}

ListedHosts load_hosts() {
  const Result<HostBook> book = read_book();
  std::vector<api::Connection> connections;
  if (const auto file = read_private_file(cache_path() + kConnections, api::kMaxListBytes)) {
    if (auto parsed = api::parse_connections(file->text)) connections = std::move(parsed->items);
  }
  ListedHosts out = listed_hosts(
      book ? book->hosts() : std::vector<FarHost>(), connections,
      {variable("CONTAINER_HOST"), variable("CONTAINER_SSHKEY"), variable("CONTAINER_CONNECTION")});
  if (!book) out.notes.push_back(book.error().line());
  if (book) {
    for (const std::string& problem : book->problems()) out.notes.push_back(book_path() + ", " + problem);
  }
  return out;
}

Status refresh_connections() {
  const Result<std::string> directory = cache_directory();
  if (!directory) return directory.error();
  if (find_program("podman").empty()) return replace_file(*directory + kConnections, "[]");
  const Result<std::string> text = api::podman_connections(std::chrono::steady_clock::now() + kPodmanLimit);
  if (!text) return text.error();
  if (const auto parsed = api::parse_connections(*text); !parsed) return parsed.error();
  return replace_file(*directory + kConnections, *text);
}

void refresh_connections_if_old() {
  const auto file = read_private_file(cache_path() + kConnections, api::kMaxListBytes);
  if (!file || file->age > kConnectionsFresh) (void)refresh_connections();
}

FarHost as_listed(FarHost named) {
  const ListedHosts known = load_hosts();
  const ListedHost* host = named.options.empty() ? find_host(known.hosts, named) : nullptr;
  return host != nullptr ? host->host : named;
}

Result<model::Inventory> list_there(const FarHost& host, milliseconds limit) {
  Result<model::Inventory> inventory = ask(host, limit);
  // That nothing could be kept is no reason not to show it.
  if (inventory && is_listed(host)) (void)write_listing(host, *inventory);
  return inventory;
}

void list_there_later(const FarHost& host) {
  if (!is_listed(host)) return;
  (void)detached([&](const std::function<void()>&) {
    for (const char* desktop : {"DISPLAY", "WAYLAND_DISPLAY"}) (void)::unsetenv(desktop);
    (void)list_there(host, kListLimit);
  });
}

bool is_far_interface(std::string_view value) {
  return value.starts_with(kFarPrefix);
}

Result<FarTarget> far_interface(const std::string& value) {
  const ListedHosts known = load_hosts();
  const ListedHost* bearer = nullptr;  // its name begins the value
  for (const ListedHost& h : known.hosts) {
    if (value == far_choose_value(h.host.name)) return FarTarget{h.host, {}};
    const std::string prefix = kFarPrefix + h.host.name + ":";
    if (value.starts_with(prefix) && value.size() > prefix.size() &&
        (bearer == nullptr || h.host.name.size() > bearer->host.name.size()))
      bearer = &h;
  }
  for (const ListedHost& h : known.hosts) {
    const std::optional<HostListing> listing = read_listing(h.host);
    if (!listing) continue;
    for (const FarContainer& c : listing->containers) {
      if (far_interface_value(h.host.name, c.name) == value) return FarTarget{h.host, c.target};
    }
  }
  // Not seen there yet: podshark there will know.
  if (bearer != nullptr)
    return FarTarget{bearer->host,
                     value.substr(std::string(kFarPrefix).size() + bearer->host.name.size() + 1)};
  return Error{ErrorKind::not_found, "no saved host and no podman connection belongs to " + in_quotes(value),
               "'podshark hosts' shows them, 'podshark hosts add HOST' saves one"};
}

bool is_far_choice(const std::string& value) {
  if (!is_far_interface(value)) return false;
  const ListedHosts known = load_hosts();
  return std::any_of(known.hosts.begin(), known.hosts.end(),
                     [&](const ListedHost& h) { return value == far_choose_value(h.host.name); });
}

bool names_far(std::string_view text) {
  return is_far(text) || is_far_interface(text);
}

Result<FarTarget> listed_target(const std::string& text) {
  if (is_far_interface(text)) {
    Result<FarTarget> target = far_interface(text);
    if (target && target->target.empty())
      return Error{ErrorKind::usage, in_quotes(text) + " names no container",
                   "'podshark list --host " + target->host.name + "' shows what runs there"};
    return target;
  }
  Result<FarTarget> target = parse_far_target(text);
  if (target) target->host = as_listed(std::move(target->host));
  return target;
}

}  // namespace podshark::extcap::remote
