// SPDX-License-Identifier: GPL-2.0-or-later
// Everything `podshark doctor` looks at, collected once; the checks then judge it without touching the
// system.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "extcap/doctor/file_facts.h"
#include "extcap/installation.h"
#include "podman/core/result.h"

namespace podshark::extcap::doctor {

/// Who asks, and what this process may become.
struct Caller {
  uid_t uid = 0;
  std::string name;
  std::vector<std::string> session_groups;   ///< of this process
  std::vector<std::string> database_groups;  ///< of the account: differs until the next login
  bool no_new_privs = false;
  std::uint64_t bounding = ~std::uint64_t{0};  ///< capability bounding set
};

/// What `tshark -G folders`, `-G plugins` and `--version` say.
struct Wireshark {
  std::string program;  ///< the tshark that answered; empty when none did
  std::string problem;  ///< why none did
  std::string version;  ///< "4.0.17"
  std::string gui;      ///< `wireshark` in PATH, links followed; empty when there is none
  std::string program_dir;
  std::string personal_extcap_dir;
  std::string global_extcap_dir;
  std::string personal_plugin_dir;  ///< with the version directory, without /epan
  std::string global_plugin_dir;
  std::vector<std::string> loaded_plugins;  ///< paths of every podshark.so it has loaded
  std::vector<std::string> sandboxed;       ///< "Flatpak", "Snap": a Wireshark of that kind is here too
};

struct Socket {
  std::string path;
  int error = 0;  ///< errno of connect(2), 0 when somebody listens
};

struct Podman {
  std::string version;  ///< "4.3.1", empty when it did not answer
  std::string problem;
  std::vector<Socket> sockets;
  std::string storage;  ///< directory where this user's containers live
  bool has_storage = false;
};

/// Values of /proc/sys; nothing where the kernel does not have the setting.
struct UserNamespaces {
  std::optional<std::uint64_t> max;
  std::optional<std::uint64_t> unprivileged_clone;
  std::optional<std::uint64_t> apparmor_restrict;
  bool subuid = false;  ///< the user has a range in /etc/subuid
  bool subgid = false;
  bool newuidmap = false;
  bool pasta = false;
  bool slirp4netns = false;
  std::string podman_profile = {};  ///< AppArmor's that allows podman user namespaces; empty: there is none
  bool podman_profile_disabled = false;
  std::uint64_t free_ids = 0;  ///< first of kSubordinateIds that nobody has in either file; 0: none
};
inline constexpr std::uint64_t kSubordinateIds = 65536;

struct Kernel {
  std::string release;
  int tpacket_v3 = 0;  ///< errno of the attempt, 0 ok
  int pidfd = 0;
  bool types = false;               ///< its type information can be read (BTF)
  std::uint64_t open_files = 0;     ///< RLIMIT_NOFILE, the hard one: podshark raises its own soft one
  std::uint64_t address_space = 0;  ///< RLIMIT_AS, bytes
  int inotify = 0;                  ///< errno of inotify_init1(2), 0 ok
};

struct Scene {
  Caller caller;
  Wireshark wireshark;
  FileFacts self;  ///< the running podshark
  Installation installation;
  FileFacts personal_extcap, global_extcap;
  FileFacts personal_plugin, global_plugin;
  std::vector<std::string> other_plugin_versions;  ///< "4.0": a podshark.so for another Wireshark lies there
  FileFacts dumpcap;
  FileFacts worker;
  FileFacts drops;                     ///< podshark-drops
  std::optional<Error> drops_refused;  ///< what became of starting it, where that was tried
  Podman podman;
  UserNamespaces userns;
  Kernel kernel;
};

/// Reads the system; runs tshark and podman with a deadline of a few seconds each. `worker` and `drops` are
/// the paths that a capture would use (empty: none found), `root` is put before /etc and /proc (for tests).
[[nodiscard]] Scene collect(const std::string& worker, const std::string& drops,
                            const std::string& root = {});

/// The parts of collect() that read text, for it and for tests.
void parse_folders(std::string_view text, Wireshark& into);
[[nodiscard]] std::vector<std::string> parse_loaded_plugins(std::string_view text);
[[nodiscard]] std::string parse_version(std::string_view text);  ///< first "1.2[.3]" word, or empty
void parse_status(std::string_view text, Caller& into);          ///< /proc/self/status
/// True when `text` (/etc/subuid) has a range for the user by name or number.
[[nodiscard]] bool has_subordinate_range(std::string_view text, const Caller& caller);
/// First of kSubordinateIds numbers from 100000 on that no line of /etc/subuid or /etc/subgid holds; nothing
/// when there are none.
[[nodiscard]] std::optional<std::uint64_t> free_subordinate_ids(std::string_view subuid,
                                                                std::string_view subgid);
/// True when an AppArmor profile (the text of its file) has a rule for user namespaces.
[[nodiscard]] bool allows_user_namespaces(std::string_view profile);
[[nodiscard]] UserNamespaces read_user_namespaces(const std::string& root, const Caller& caller);

}  // namespace podshark::extcap::doctor
