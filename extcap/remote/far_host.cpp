// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/far_host.h"

#include <algorithm>
#include <cstdint>

#include "podman/core/text.h"

namespace podshark::extcap::remote {
namespace {

constexpr std::string_view kScheme = "ssh://";
constexpr std::string_view kPodman = "podman://";

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("._-@:[]%").find(c) != std::string_view::npos;
}

}  // namespace

bool is_far(std::string_view text) {
  return text.starts_with(kScheme) || text.starts_with(kPodman);
}

Result<FarHost> parse_host(const std::string& text) {
  const Error wrong{ErrorKind::usage, in_quotes(text) + " is not [USER@]HOST[:PORT]", {}};
  if (text.starts_with(kPodman)) {
    const std::string connection = text.substr(kPodman.size());
    const bool good = !connection.empty() && connection.front() != '-' &&
                      std::all_of(connection.begin(), connection.end(), plain);
    if (good) return FarHost{"", text, {}, connection};
    return Error{ErrorKind::usage, in_quotes(text) + " is not podman://CONNECTION",
                 "'podman system connection list' shows them"};
  }
  const bool scheme = is_far(text);
  const std::string place = scheme ? text.substr(kScheme.size()) : text;
  for (const char c : place) {
    if (!plain(c)) return wrong;
  }
  const std::size_t at =
      place.rfind('@');  // as ssh(1) takes it apart, but for its URI form, where it is the first one
  const std::string host = at == std::string::npos ? place : place.substr(at + 1);
  const bool like_option = place.starts_with('-') || place.find("@-") != std::string::npos;
  if (place.empty() || like_option || host.empty() || host.front() == ':') return wrong;
  // ssh(1) takes a port only in its URI form.
  const bool port =
      host.front() == '[' ? host.find("]:") != std::string::npos : host.find(':') != std::string::npos;
  return FarHost{scheme || port ? std::string(kScheme) + place : place, place};
}

Result<FarHost> host_of(const HostFields& fields) {
  std::string place(trim(fields.host));
  // An IPv6 address without brackets, which its port would be taken for a part of.
  if (!is_far(place) && place.find('[') == std::string::npos &&
      std::count(place.begin(), place.end(), ':') > 1)
    place = "[" + place + "]";
  if (!trim(fields.user).empty())
    place.insert(is_far(place) ? kScheme.size() : 0, std::string(trim(fields.user)) + "@");
  if (const std::string_view text = trim(fields.port); !text.empty()) {
    std::uint64_t port = 0;
    if (!parse_number(text, 65535, port) || port == 0)
      return Error{ErrorKind::usage, in_quotes(text) + " is no port", "a number from 1 to 65535"};
    place += ":" + std::to_string(port);
  }
  Result<FarHost> host = parse_host(place);
  if (!host) return host;
  if (!fields.key.empty()) host->options.insert(host->options.end(), {"-i", fields.key});
  const std::string jump(trim(fields.jump));
  const bool clean =
      jump.empty() || (jump.front() != '-' && std::all_of(jump.begin(), jump.end(), [](char c) {
                         return plain(c) || c == ',' || c == '/';
                       }));
  if (!clean)
    return Error{ErrorKind::usage, in_quotes(jump) + " is no jump host",
                 "as for 'ssh -J': [USER@]HOST[:PORT],…"};
  if (!jump.empty()) host->options.insert(host->options.end(), {"-J", jump});
  return host;
}

Result<FarTarget> parse_far_target(const std::string& text) {
  const std::size_t scheme = (text.starts_with(kPodman) ? kPodman : kScheme).size();
  const std::size_t slash = is_far(text) ? text.find('/', scheme) : std::string::npos;
  if (slash == std::string::npos || slash + 1 == text.size())
    return Error{ErrorKind::usage, in_quotes(text) + " is not ssh://[USER@]HOST[:PORT]/CONTAINER",
                 "'podshark list --host HOST' shows what runs there"};
  Result<FarHost> host = parse_host(text.substr(0, slash));
  if (!host) return host.error();
  return FarTarget{std::move(*host), text.substr(slash + 1)};
}

}  // namespace podshark::extcap::remote
