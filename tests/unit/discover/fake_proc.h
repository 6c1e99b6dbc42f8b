// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/unit/temp_tree.h"

namespace podshark::test {

/// A made-up /proc. All processes belong to the user who runs the test. PID 1 exists.
class FakeProc : public TempTree {
 public:
  FakeProc() {
    write("stat", "cpu 1 2 3\nbtime 1700000000\n");
    process(1, "init", 0);
  }

  /// `namespaces` is the NSpid line: one number per PID namespace.
  void process(int pid, const std::string& comm, int ppid, const std::string& namespaces = "",
               char state = 'S', unsigned long start = 4200) const {
    const std::string p = std::to_string(pid);
    write(p + "/stat", p + " (" + comm + ") " + state + " " + std::to_string(ppid) +
                           " 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 " + std::to_string(start) + " 1 2\n");
    write(p + "/status",
          "Name:\t" + comm + "\nNSpid:\t" + (namespaces.empty() ? p : namespaces) + "\nNSpgid:\t1\n");
  }

  void cmdline(int pid, const std::vector<std::string>& args) const {
    std::string text;
    for (const std::string& arg : args) text += arg + '\0';
    write(std::to_string(pid) + "/cmdline", text);
  }

  /// conmon and its container's first process, as podman starts them.
  void container(int conmon, int pid, const std::string& id, const std::string& name) const {
    process(conmon, "conmon", 1);
    cmdline(conmon, {"/usr/bin/conmon",
                     "--api-version",
                     "1",
                     "-c",
                     id,
                     "-u",
                     id,
                     "-r",
                     "/usr/bin/crun",
                     "-b",
                     "/var/lib/x/userdata",
                     "-p",
                     "/run/x/pidfile",
                     "-n",
                     name,
                     "--exit-dir",
                     "/run/libpod/exits",
                     "--exit-command",
                     "/usr/bin/podman",
                     "--exit-command-arg",
                     "--root"});
    process(pid, "sleep", conmon, std::to_string(pid) + "\t1");
    host_network(conmon);
  }

  /// A network namespace with eth0 and one address.
  void bridge_network(int pid, const std::string& last_octet = "2") const {
    const std::string net = std::to_string(pid) + "/net/";
    write(net + "dev", kDevHeader + "    lo:       0       0\n  eth0:     866      11\n");
    write(net + "route",
          "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT  \n"
          "eth0\t00000000\t0100580A\t0003\t0\t0\t100\t00000000\t0\t0\t0  \n"
          "eth0\t0000580A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0   \n");
    const std::string address = "10.88.0." + last_octet;
    const std::string trie =
        "  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     |-- " + address +
        "\n        /32 host LOCAL\n     |-- 10.88.255.255\n        /32 link BROADCAST\n"
        "     |-- 127.0.0.1\n        /32 host LOCAL\n";
    write(net + "fib_trie", "Main:\n" + trie + "Local:\n" + trie);
    write(net + "if_inet6",
          "00000000000000000000000000000001 01 80 10 80       lo\n"
          "fe800000000000005854ebfffe3c657b 02 40 20 80     eth0\n"
          "fd000000000000000000000000000002 02 40 00 80     eth0\n");
  }

  void only_loopback(int pid) const {
    write(std::to_string(pid) + "/net/dev", kDevHeader + "    lo:       0       0\n");
  }

  /// The same network namespace as all others given here: files are the same inode.
  void host_network(int pid) const { share("host/net/dev", pid); }
  void same_network(int pid, int owner) const { share(std::to_string(owner) + "/net/dev", pid); }

 private:
  void share(const std::string& file, int pid) const {
    namespace fs = std::filesystem;
    const fs::path from = fs::path(path()) / file;
    if (!fs::exists(from)) write(file, kDevHeader + "    lo:       0       0\n  wan0:     866      11\n");
    const fs::path to = fs::path(path()) / std::to_string(pid) / "net";
    fs::create_directories(to);
    fs::remove(to / "dev");
    fs::create_hard_link(from, to / "dev");
  }

  const std::string kDevHeader =
      "Inter-|   Receive                  |  Transmit\n face |bytes    packets errs |bytes    packets\n";
};

}  // namespace podshark::test
