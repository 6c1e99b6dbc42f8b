// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/sharing.h"

#include "extcap/directories.h"
#include "podman/core/process.h"
#include "podman/core/text.h"

namespace podshark::extcap::remote {
namespace {

constexpr std::size_t kMostConfig = 65536;
// sockaddr_un takes 107 bytes; ssh adds "/ssh-", a hash of 40, a dot and 16 random characters while it makes
// it.
constexpr std::size_t kMostPath = 45;

}  // namespace

bool shares_already(std::string_view config) {
  for (const std::string& line : split(config, '\n')) {
    const std::vector<std::string> pair = words(line);
    if (pair.size() < 2) continue;
    if (pair[0] == "controlpath" && pair[1] != "none") return true;
    if (pair[0] == "controlmaster" && pair[1] != "false" && pair[1] != "no") return true;
  }
  return false;
}

FarHost shared(const FarHost& host) {
  if (!host.connection.empty()) return host;
  const Result<std::string> directory = runtime_directory();
  if (!directory || directory->size() > kMostPath) return host;
  std::vector<std::string> argv{"ssh", "-G"};
  argv.insert(argv.end(), host.options.begin(), host.options.end());
  argv.insert(argv.end(), {"--", host.destination});
  const Result<Output> config = run(argv, std::chrono::seconds(2), kMostConfig);
  if (!config || config->exit_code != 0 || shares_already(config->out)) return host;
  FarHost out = host;
  for (const std::string& option : {std::string("ControlMaster=auto"),
                                    "ControlPath=" + *directory + "/ssh-%C", std::string("ControlPersist=5")})
    out.options.insert(out.options.end(), {"-o", option});
  return out;
}

}  // namespace podshark::extcap::remote
