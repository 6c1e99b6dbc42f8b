// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/doctor/scene.h"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "extcap/doctor/kernel_probe.h"
#include "podman/core/fd.h"
#include "podman/core/proc.h"
#include "podman/core/process.h"
#include "podman/core/text.h"
#include "podman/discover/storage.h"

namespace podshark::extcap::doctor {
namespace {

using std::chrono::seconds;
constexpr std::size_t kMaxText = 1 << 20;

std::string text_of(const std::string& path) {
  const Result<std::string> text = read_file(path, kMaxText);
  return text ? *text : std::string();
}

std::string group_name(gid_t gid) {
  const group* entry = ::getgrgid(gid);
  return entry != nullptr ? entry->gr_name : std::to_string(gid);
}

std::vector<std::string> names_of(const std::vector<gid_t>& gids) {
  std::vector<std::string> names;
  names.reserve(gids.size());
  for (const gid_t gid : gids) names.push_back(group_name(gid));
  return names;
}

std::vector<gid_t> session_gids() {
  std::vector<gid_t> gids(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
  const int n = ::getgroups(static_cast<int>(gids.size()), gids.data());
  gids.resize(static_cast<std::size_t>(std::max(0, n)));
  gids.push_back(::getegid());
  return gids;
}

std::vector<gid_t> database_gids(const char* user, gid_t primary) {
  int n = 256;
  std::vector<gid_t> gids(static_cast<std::size_t>(n));
  if (::getgrouplist(user, primary, gids.data(), &n) < 0) n = static_cast<int>(gids.size());
  gids.resize(static_cast<std::size_t>(std::max(0, n)));
  return gids;
}

Caller collect_caller(const std::string& root) {
  Caller caller;
  caller.uid = ::geteuid();
  caller.name = std::to_string(caller.uid);
  caller.session_groups = names_of(session_gids());
  if (const passwd* entry = ::getpwuid(caller.uid); entry != nullptr) {
    caller.name = entry->pw_name;
    caller.database_groups = names_of(database_gids(caller.name.c_str(), entry->pw_gid));
  }
  parse_status(text_of(root + "/proc/self/status"), caller);
  return caller;
}

Wireshark collect_wireshark() {
  Wireshark ws;
  const Result<Output> version = run({"tshark", "--version"}, seconds(10), kMaxText);
  if (!version) {
    ws.problem = version.error().what;
    return ws;
  }
  ws.version = parse_version(version->out);
  const Result<Output> folders = run({"tshark", "-G", "folders"}, seconds(10), kMaxText);
  if (!folders || folders->exit_code != 0) {
    ws.problem = folders ? "tshark -G folders failed" : folders.error().what;
    return ws;
  }
  ws.program = "tshark";
  parse_folders(folders->out, ws);
  const Result<Output> plugins = run({"tshark", "-G", "plugins"}, seconds(10), kMaxText);
  if (plugins) ws.loaded_plugins = parse_loaded_plugins(plugins->out);
  return ws;
}

std::vector<std::string> sandboxed_wiresharks(const std::string& root) {
  namespace fs = std::filesystem;
  const char* home = std::getenv("HOME");
  const std::string app = "/flatpak/app/org.wireshark.Wireshark";
  std::error_code ignored;
  std::vector<std::string> kinds;
  if (fs::exists(root + "/var/lib" + app, ignored) ||
      (home != nullptr && fs::exists(root + home + "/.local/share" + app, ignored))) {
    kinds.emplace_back("Flatpak");
  }
  if (fs::exists(root + "/snap/wireshark", ignored)) kinds.emplace_back("Snap");
  return kinds;
}

// A podshark.so beside the version directory of the running Wireshark: left over from before its upgrade.
void add_other_versions(const std::string& plugin_dir, std::vector<std::string>& versions) {
  namespace fs = std::filesystem;
  if (plugin_dir.empty()) return;
  const fs::path current(plugin_dir);
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(current.parent_path(), ignored)) {
    if (entry.path().filename() == current.filename()) continue;
    if (fs::exists(entry.path() / "epan" / "podshark.so", ignored)) {
      versions.push_back(entry.path().filename().string());
    }
  }
}

Socket try_socket(const std::string& path) {
  Socket result{path, 0};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return {path, ENAMETOOLONG};
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    result.error = errno;
  }
  return result;
}

// `podman --version` touches nothing; `podman info` would create storage (and takes most of a second).
Podman collect_podman(const std::string& root) {
  Podman podman;
  const Result<Output> version = run({"podman", "--version"}, seconds(5), kMaxText);
  if (version) podman.version = parse_version(version->out);
  if (!version) podman.problem = version.error().what;
  const discover::User user = discover::calling_user();
  if (user.uid != 0) podman.sockets.push_back(try_socket(user.runtime_dir + "/podman/podman.sock"));
  podman.sockets.push_back(try_socket(root + "/run/podman/podman.sock"));
  podman.storage = discover::graph_root(user, root);
  podman.has_storage = discover::has_storage(user, root);
  return podman;
}

std::optional<std::uint64_t> setting(const std::string& path) {
  std::uint64_t value = 0;
  const Result<std::string> text = read_file(path, 64);
  if (!text || !parse_number(trim(*text), ~std::uint64_t{0}, value)) return std::nullopt;
  return value;
}

// Which profiles are loaded only root may read; the files that are loaded at boot anybody may.
void find_podman_profile(const std::string& root, UserNamespaces& ns) {
  const std::string directory = "/etc/apparmor.d/";
  std::error_code ignored;
  for (const char* name : {"podman", "usr.bin.podman"}) {
    if (!allows_user_namespaces(text_of(root + directory + name))) continue;
    ns.podman_profile = directory + name;
    ns.podman_profile_disabled = std::filesystem::exists(root + directory + "disable/" + name, ignored);
    if (!ns.podman_profile_disabled) return;
  }
}

// Where it is, links followed; empty when it is nowhere.
std::string find_program(const char* program) {
  const char* path = std::getenv("PATH");
  const std::string dirs = std::string(path != nullptr ? path : "") + ":/usr/bin:/usr/sbin:/sbin";
  std::error_code ignored;
  for (const std::string& dir : split(dirs, ':')) {
    const std::string file = dir + "/" + program;
    if (!dir.empty() && dir.front() == '/' && look_at(file).executable)
      return std::filesystem::canonical(file, ignored).string();
  }
  return {};
}

bool in_path(const char* program) {
  return !find_program(program).empty();
}

std::string below(const std::string& dir, const char* rest) {
  return dir.empty() ? dir : dir + rest;
}

void collect_installation(Scene& scene, const std::string& worker, const std::string& drops,
                          const std::string& root) {
  const Wireshark& ws = scene.wireshark;
  std::error_code ignored;
  scene.self = look_at(std::filesystem::read_symlink("/proc/self/exe", ignored).string());
  scene.installation = installation_of(scene.self.path, root);
  scene.worker = look_at(std::filesystem::weakly_canonical(worker, ignored).string());
  scene.drops = look_at(std::filesystem::weakly_canonical(drops, ignored).string());
  scene.personal_extcap = look_at(below(ws.personal_extcap_dir, "/podshark"));
  scene.global_extcap = look_at(below(ws.global_extcap_dir, "/podshark"));
  scene.personal_plugin = look_at(below(ws.personal_plugin_dir, "/epan/podshark.so"));
  scene.global_plugin = look_at(below(ws.global_plugin_dir, "/epan/podshark.so"));
  add_other_versions(ws.global_plugin_dir, scene.other_plugin_versions);
  add_other_versions(ws.personal_plugin_dir, scene.other_plugin_versions);
  scene.dumpcap = look_at(below(ws.program_dir, "/dumpcap"));
}

}  // namespace

UserNamespaces read_user_namespaces(const std::string& root, const Caller& caller) {
  UserNamespaces ns;
  const std::string sys = root + "/proc/sys";
  ns.max = setting(sys + "/user/max_user_namespaces");
  ns.unprivileged_clone = setting(sys + "/kernel/unprivileged_userns_clone");
  ns.apparmor_restrict = setting(sys + "/kernel/apparmor_restrict_unprivileged_userns");
  find_podman_profile(root, ns);
  const std::string subuid = text_of(root + "/etc/subuid");
  const std::string subgid = text_of(root + "/etc/subgid");
  ns.subuid = has_subordinate_range(subuid, caller);
  ns.subgid = has_subordinate_range(subgid, caller);
  ns.free_ids = free_subordinate_ids(subuid, subgid).value_or(0);
  ns.newuidmap = in_path("newuidmap");
  ns.pasta = in_path("pasta");
  ns.slirp4netns = in_path("slirp4netns");
  return ns;
}

Scene collect(const std::string& worker, const std::string& drops, const std::string& root) {
  Scene scene;
  scene.caller = collect_caller(root);
  scene.wireshark = collect_wireshark();
  scene.wireshark.gui = find_program("wireshark");
  scene.wireshark.sandboxed = sandboxed_wiresharks(root);
  collect_installation(scene, worker, drops, root);
  scene.podman = collect_podman(root);
  scene.userns = read_user_namespaces(root, scene.caller);
  scene.kernel = probe_kernel();
  scene.kernel.types = ::access((root + "/sys/kernel/btf/vmlinux").c_str(), R_OK) == 0;
  return scene;
}

}  // namespace podshark::extcap::doctor
