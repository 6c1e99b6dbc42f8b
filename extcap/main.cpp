// SPDX-License-Identifier: GPL-2.0-or-later
#include <sys/resource.h>

#include <exception>
#include <iostream>
#include <new>
#include <sstream>
#include <string>
#include <vector>

#include "extcap/command.h"
#include "extcap/extcap.h"
#include "extcap/private_file.h"
#include "extcap/remote/far_run.h"
#include "extcap/remote/far_script.h"
#include "extcap/remote/hosts.h"
#include "extcap/remote/without.h"
#include "podman/core/text.h"

namespace {

using podshark::extcap::Command;
using podshark::extcap::commands;

int help(std::ostream& out) {
  out << "podshark " PODSHARK_VERSION
         " - Podman container networking in Wireshark\n\nusage: podshark COMMAND [options]\n\n";
  for (const Command& c : commands())
    out << "  " << c.name << std::string(11 - std::string(c.name).size(), ' ') << c.summary << '\n';
  out << "\n'podshark COMMAND --help' tells more. All but capture, annotate and hosts take --host "
         "[USER@]HOST[:PORT], and are then\n"
         "run there through ssh; for capture, TARGET is ssh://[USER@]HOST[:PORT]/CONTAINER. In Wireshark, "
         "containers are in the interface list.\n";
  return 0;
}

// A namespace needs five descriptors; the usual soft limit of 1024 would end at two hundred.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

int run_there(const podshark::extcap::remote::FarHost& host, const std::vector<std::string>& words,
              std::ostream& out) {
  namespace remote = podshark::extcap::remote;
  const bool api = !host.connection.empty();  // there is no podshark behind it
  int code = api ? remote::kNotThere : remote::run_there(host, words, out, std::cerr);
  if (code == remote::kNotThere) code = remote::run_without(host, words, out, std::cerr);
  if (code == 0 && words[0] == "list" && !api) remote::list_there_later(host);
  return code;
}

// What comes from there belongs into a file here, as it does without podshark there.
int inventory_there(const podshark::extcap::remote::FarHost& host, std::vector<std::string> words) {
  const std::string file = podshark::extcap::remote::take_output(words);
  if (file.empty()) return run_there(host, words, std::cout);
  std::ostringstream text;
  if (const int code = run_there(host, words, text); code != 0) return code;
  if (const podshark::Status saved = podshark::extcap::replace_file(file, text.view()); !saved) {
    std::cerr << "podshark inventory: " << saved.error().line() << '\n';
    return static_cast<int>(saved.error().kind);
  }
  return 0;
}

int run(const std::vector<std::string>& args) {
  if (podshark::extcap::is_extcap_call(args)) {
    const int code =
        podshark::extcap::run_extcap(podshark::extcap::ExtcapArguments(args), std::cout, std::cerr);
    std::cout.flush();
    return code;
  }
  if (args.empty() || args[0] == "--help" || args[0] == "-h" || args[0] == "help") return help(std::cout);
  if (args[0] == "--version") {
    std::cout << "podshark " PODSHARK_VERSION "\n";
    return 0;
  }
  for (const Command& c : commands()) {
    if (args[0] != c.name) continue;
    if (c.there) {
      std::vector<std::string> words = args;
      auto host = podshark::extcap::remote::take_host(words);
      if (host && !*host && args[0] == "probe") host = podshark::extcap::remote::take_source(words);
      if (!host) {
        std::cerr << "podshark " << c.name << ": " << host.error().line() << '\n';
        return static_cast<int>(host.error().kind);
      }
      if (*host) {
        const auto listed = podshark::extcap::remote::as_listed(**host);
        return words[0] == "inventory" ? inventory_there(listed, words) : run_there(listed, words, std::cout);
      }
    }
    return c.run(std::span(args).subspan(1), std::cout, std::cerr);
  }
  std::cerr << "podshark: there is no command '" << podshark::one_line(args[0], 40)
            << "' (see 'podshark --help')\n";
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  raise_descriptor_limit();
  std::cerr.tie(&std::cout);  // results before the notes about them
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::bad_alloc&) {
    // Everything on the way here has been closed: a file is valid up to its last block.
    std::cerr
        << "podshark: out of memory (free some, or raise the limit that 'ulimit -v' shows; a capture needs "
           "less with a smaller --ring-size)\n";
  } catch (const std::exception& e) {
    std::cerr << "podshark: unexpected: " << podshark::one_line(e.what(), 200)
              << " (a fault of podshark: please report it)\n";
  }
  return static_cast<int>(podshark::ErrorKind::internal);
}
