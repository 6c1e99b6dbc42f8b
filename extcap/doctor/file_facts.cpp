// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/doctor/file_facts.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "podman/core/proc.h"

namespace podshark::extcap::doctor {
namespace {

// On disk always little endian.
std::uint32_t le32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) {
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  }
  return value;
}

std::string user_name(uid_t uid) {
  const passwd* entry = ::getpwuid(uid);
  return entry != nullptr ? entry->pw_name : std::to_string(uid);
}

std::string group_name(gid_t gid) {
  const group* entry = ::getgrgid(gid);
  return entry != nullptr ? entry->gr_name : std::to_string(gid);
}

// Whoever has no number in a user namespace shows as this one.
constexpr uid_t kOverflowUid = 65534;

bool in_user_namespace() {
  const Result<std::string> map = read_file("/proc/self/uid_map", 256);
  return map && map->find(" 4294967295\n") == std::string::npos;
}

FileCaps read_file_caps(const std::string& path) {
  std::array<char, 64> bytes{};
  const ssize_t n = ::getxattr(path.c_str(), "security.capability", bytes.data(), bytes.size());
  if (n <= 0) return {};
  return parse_file_caps({bytes.data(), static_cast<std::size_t>(n)}).value_or(FileCaps{});
}

}  // namespace

std::optional<FileCaps> parse_file_caps(std::string_view bytes) {
  if (bytes.size() < XATTR_CAPS_SZ_1) return std::nullopt;
  const std::uint32_t magic = le32(bytes, 0);
  FileCaps caps;
  caps.effective = (magic & VFS_CAP_FLAGS_EFFECTIVE) != 0;
  caps.permitted = le32(bytes, 4);
  switch (magic & VFS_CAP_REVISION_MASK) {
    case VFS_CAP_REVISION_1:
      return caps;
    case VFS_CAP_REVISION_2:
    case VFS_CAP_REVISION_3:
      if (bytes.size() < XATTR_CAPS_SZ_2) return std::nullopt;
      caps.permitted |= static_cast<std::uint64_t>(le32(bytes, 12)) << 32;
      return caps;
    default:
      return std::nullopt;
  }
}

FileFacts look_at(const std::string& path) {
  FileFacts file;
  file.path = path;
  struct stat st {};
  if (path.empty() || ::stat(path.c_str(), &st) != 0) return file;
  file.exists = true;
  file.mode = st.st_mode & 07777;
  file.uid = st.st_uid;
  file.gid = st.st_gid;
  file.owner_hidden = st.st_uid == kOverflowUid && in_user_namespace();
  file.owner = user_name(st.st_uid);
  file.group = group_name(st.st_gid);
  file.device = st.st_dev;
  file.inode = st.st_ino;
  file.executable = S_ISREG(st.st_mode) && ::access(path.c_str(), X_OK) == 0;
  struct statvfs fs {};
  if (::statvfs(path.c_str(), &fs) == 0) {
    file.noexec = (fs.f_flag & ST_NOEXEC) != 0;
    file.nosuid = (fs.f_flag & ST_NOSUID) != 0;
  }
  file.caps = read_file_caps(path);
  return file;
}

std::string mode_text(const FileFacts& file) {
  std::array<char, 8> octal{};
  (void)std::snprintf(octal.data(), octal.size(), "%04o", static_cast<unsigned>(file.mode & 07777));
  return std::string(octal.data()) + " " + file.owner + ":" + file.group;
}

}  // namespace podshark::extcap::doctor
