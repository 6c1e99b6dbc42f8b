// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/discover/storage.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cstdlib>

#include "podman/core/proc.h"
#include "podman/core/text.h"

namespace podshark::discover {
namespace {

constexpr std::size_t kMaxConf = 1U << 20U;

std::string variable(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? std::string(value) : otherwise;
}

std::string home_directory() {
  std::string home = variable("HOME", "");
  if (!home.empty()) return home;
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  (void)::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr ? found->pw_dir : "/";
}

void replace(std::string& text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
}

// As containers/storage does it (expandEnvPath in types/utils.go): $UID, then the environment, where what is
// not set is empty.
std::string expanded(std::string text, const User& user) {
  replace(text, "$UID", std::to_string(user.uid));
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const bool braces = text[at] == '$' && at + 1 < text.size() && text[at + 1] == '{';
    const std::size_t from = at + (braces ? 2 : 1);
    std::size_t end = from;
    while (end < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_'))
      ++end;
    const bool whole = text[at] == '$' && end > from && (!braces || (end < text.size() && text[end] == '}'));
    if (!whole) {
      out += text[at++];
      continue;
    }
    const std::string name = text.substr(from, end - from);
    out += name == "HOME" ? user.home : variable(name.c_str(), "");
    at = end + (braces ? 1 : 0);
  }
  return out;
}

// `key = "value"` of a storage.conf. The keys asked for exist in its [storage] table only.
std::string conf_value(const std::string& path, const std::string& key, const User& user) {
  const Result<std::string> text = read_file(path, kMaxConf);
  if (!text) return {};
  for (const std::string& raw : split(*text, '\n')) {
    const std::string_view line = trim(raw);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || trim(line.substr(0, equals)) != key) continue;
    std::string_view value = trim(line.substr(equals + 1));
    if (value.size() < 2 || (value[0] != '"' && value[0] != '\'')) continue;
    value = value.substr(1, value.find(value[0], 1) - 1);
    std::string path_text = expanded(std::string(value), user);
    if (!path_text.empty()) return path_text;
  }
  return {};
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

}  // namespace

User calling_user() {
  User user;
  user.uid = ::geteuid();
  user.home = home_directory();
  user.config_home = variable("XDG_CONFIG_HOME", user.home + "/.config");
  user.data_home = variable("XDG_DATA_HOME", user.home + "/.local/share");
  user.runtime_dir = variable("XDG_RUNTIME_DIR", "/run/user/" + std::to_string(user.uid));
  user.storage_conf = variable("CONTAINERS_STORAGE_CONF", "");
  return user;
}

std::string graph_root(const User& user, const std::string& root) {
  const bool rootless = user.uid != 0;
  if (!user.storage_conf.empty()) {
    if (std::string path = conf_value(user.storage_conf, "graphroot", user); !path.empty()) return path;
  } else if (rootless) {
    const std::string own = user.config_home + "/containers/storage.conf";
    if (std::string path = conf_value(own, "graphroot", user); !path.empty()) return path;
  }
  const char* key = rootless ? "rootless_storage_path" : "graphroot";
  for (const char* file : {"/etc/containers/storage.conf", "/usr/share/containers/storage.conf"}) {
    if (std::string path = conf_value(root + file, key, user); !path.empty()) return path;
  }
  return rootless ? user.data_home + "/containers/storage" : root + "/var/lib/containers/storage";
}

bool has_storage(const User& user, const std::string& root) {
  const std::string graph = graph_root(user, root);
  return exists(graph + "/db.sql") || exists(graph + "/libpod/bolt_state.db") ||
         exists(graph + "/libpod/db.sql");
}

}  // namespace podshark::discover
