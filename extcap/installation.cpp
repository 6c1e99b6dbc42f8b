// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/installation.h"

#include <unistd.h>

#include <filesystem>

namespace podshark::extcap {

Installation installation_of(const std::string& path, const std::string& root) {
  if (!path.starts_with("/usr/") || path.starts_with("/usr/local/")) return {};
  // What every Debian package has. It is in no archive from which apt could fetch it once more.
  if (::access((root + "/usr/share/doc/podshark/copyright").c_str(), F_OK) == 0)
    return {Installation::By::debian, "sudo apt install --reinstall ./podshark_*.deb (the package's file)"};
  return {Installation::By::other_packages, "install the package podshark again"};
}

Installation this_installation() {
  std::error_code ignored;
  return installation_of(std::filesystem::read_symlink("/proc/self/exe", ignored).string());
}

std::string join_group_hint(const Installation& installation) {
  const std::string join = "join its group with 'sudo usermod -aG wireshark $USER' and log in again";
  return installation.by == Installation::By::setup ? "run 'sudo ./install/setup.sh', " + join : join;
}

}  // namespace podshark::extcap
