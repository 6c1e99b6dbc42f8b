// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace podshark::extcap::doctor {

/// The two sets of a security.capability attribute that matter to us.
struct FileCaps {
  std::uint64_t permitted = 0;
  bool effective = false;  ///< then exec fails where the bounding set lacks one of them
  bool operator==(const FileCaps&) const = default;
};

/// Decodes the bytes of security.capability (revisions 1 to 3); nothing when they are malformed.
[[nodiscard]] std::optional<FileCaps> parse_file_caps(std::string_view bytes);

/// A file as it is now, links followed; `exists` is false when it is missing or out of sight.
struct FileFacts {
  std::string path;
  bool exists = false;
  bool executable = false;    ///< by the caller
  bool noexec = false;        ///< on a mount where nothing may be executed
  bool nosuid = false;        ///< on a mount where file capabilities have no effect
  bool owner_hidden = false;  ///< in a user namespace, where it has no number: `uid` says nothing
  mode_t mode = 0;            ///< permission bits
  uid_t uid = 0;
  gid_t gid = 0;
  std::string owner;  ///< names, or numbers where there is none
  std::string group;
  std::uint64_t device = 0;  ///< together with the inode: which file it really is
  std::uint64_t inode = 0;
  FileCaps caps;

  [[nodiscard]] bool same_file(const FileFacts& other) const {
    return exists && other.exists && device == other.device && inode == other.inode;
  }
};

[[nodiscard]] FileFacts look_at(const std::string& path);

/// "0750 root:wireshark".
[[nodiscard]] std::string mode_text(const FileFacts& file);

}  // namespace podshark::extcap::doctor
