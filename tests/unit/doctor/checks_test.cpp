// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/doctor/checks.h"

#include <gmock/gmock.h>
#include <linux/capability.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "tests/unit/temp_tree.h"

namespace podshark::extcap::doctor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::uint64_t kWorkerCaps =
    (1ULL << CAP_SYS_ADMIN) | (1ULL << CAP_SYS_PTRACE) | (1ULL << CAP_NET_RAW);

FileFacts file(const std::string& path, std::uint64_t inode) {
  FileFacts f;
  f.path = path;
  f.exists = f.executable = true;
  f.mode = 0755;
  f.owner = f.group = "root";
  f.inode = inode;
  return f;
}

// An ordinary user of group wireshark on a machine where everything is installed.
Scene healthy() {
  Scene s;
  s.caller = {1000, "ann", {"ann", "wireshark"}, {"ann", "wireshark"}, false, ~std::uint64_t{0}};
  s.wireshark = {"tshark",
                 "",
                 "4.0.17",
                 "/usr/bin/wireshark",
                 "/usr/bin",
                 "/home/ann/.config/wireshark/extcap",
                 "/usr/lib/ws/extcap",
                 "/home/ann/.local/lib/wireshark/plugins/4.0",
                 "/usr/lib/ws/plugins/4.0",
                 {"/usr/lib/ws/plugins/4.0/epan/podshark.so"},
                 {}};
  s.self = file("/usr/local/bin/podshark", 1);
  s.global_extcap = file("/usr/lib/ws/extcap/podshark", 1);
  s.personal_extcap.path = "/home/ann/.config/wireshark/extcap/podshark";
  s.global_plugin = file("/usr/lib/ws/plugins/4.0/epan/podshark.so", 2);
  s.personal_plugin.path = "/home/ann/.local/lib/wireshark/plugins/4.0/epan/podshark.so";
  s.dumpcap = file("/usr/bin/dumpcap", 3);
  s.worker = file("/usr/local/libexec/podshark/podshark-worker", 4);
  s.worker.mode = 0750;
  s.worker.gid = 110;
  s.worker.group = "wireshark";
  s.worker.caps = {kWorkerCaps, false};
  s.drops = s.worker;
  s.drops.path = "/usr/local/libexec/podshark/podshark-drops";
  s.drops.caps = {(1ULL << CAP_BPF) | (1ULL << CAP_PERFMON), false};
  s.podman = {
      "4.3.1", "", {{"/run/podman/podman.sock", ENOENT}}, "/home/ann/.local/share/containers/storage", true};
  s.userns = {15000, 1, std::nullopt, true, true, true, true, false};
  s.kernel = {"6.1.0", 0, 0, true, 524288, ~std::uint64_t{0}, 0};
  return s;
}

TEST(Doctor, a_healthy_machine_has_nothing_to_fix) {
  for (const Finding& f : examine(healthy())) {
    EXPECT_EQ(f.level, Level::ok) << f.topic << ": " << f.fact;
    EXPECT_EQ(f.fix, "");
  }
}

TEST(Doctor, whatever_is_not_ok_comes_with_a_fix) {
  for (const Finding& f : examine(Scene{})) {
    EXPECT_TRUE(f.level == Level::ok || !f.fix.empty()) << f.topic << ": " << f.fact;
  }
}

TEST(Drops, what_is_missing_is_a_warning_with_its_own_fix) {
  const auto told = [](auto change) {
    Scene s = healthy();
    change(s);
    const Finding f = check_drops(s).at(0);
    EXPECT_EQ(f.level, Level::warn);
    return f.fact + " | " + f.fix;
  };
  EXPECT_THAT(told([](Scene& s) { s.drops.exists = false; }), HasSubstr("install/setup.sh"));
  EXPECT_THAT(told([](Scene& s) { s.kernel.types = false; }), HasSubstr("CONFIG_DEBUG_INFO_BTF"));
  EXPECT_THAT(told([](Scene& s) {
                s.drops.executable = false;
                s.caller.session_groups = s.caller.database_groups = {"ann"};
              }),
              HasSubstr("usermod -aG wireshark ann"));
  EXPECT_THAT(told([](Scene& s) { s.drops.caps = {}; }), HasSubstr("setcap cap_bpf,cap_perfmon=p"));
  EXPECT_THAT(told([](Scene& s) { s.caller.no_new_privs = true; }), HasSubstr("no_new_privs"));
  EXPECT_THAT(told([](Scene& s) { s.caller.bounding = 0; }), HasSubstr("bounding set"));
}

// What the package's postinst does, dpkg-reconfigure does again; setup.sh is not there.
TEST(Doctor, an_installed_package_is_mended_as_a_package) {
  const test::TempTree root;
  root.write("usr/share/doc/podshark/copyright", "");
  EXPECT_EQ(installation_of("/usr/local/bin/podshark", root.path()).by, Installation::By::setup);
  EXPECT_EQ(installation_of("/opt/podshark/bin/podshark", root.path()).by, Installation::By::setup);
  EXPECT_EQ(installation_of("/usr/bin/podshark", root.path() + "/none").by, Installation::By::other_packages);
  Scene s = healthy();
  s.installation = installation_of("/usr/bin/podshark", root.path());
  EXPECT_EQ(s.installation.by, Installation::By::debian);
  EXPECT_EQ(examine(s).size(), examine(healthy()).size());
  s.worker.caps = s.drops.caps = {};
  s.worker.executable = s.drops.executable = false;
  s.caller.session_groups = s.caller.database_groups = {"ann"};
  EXPECT_THAT(check_worker(s).at(0).fix, StartsWith("sudo usermod -aG wireshark ann"));
  s.worker.group = s.drops.group = "root";
  s.worker.gid = s.drops.gid = 0;
  EXPECT_EQ(check_worker(s).at(0).fix, "sudo dpkg-reconfigure podshark");
  EXPECT_EQ(check_drops(s).at(0).fix, "sudo dpkg-reconfigure podshark");
  s.worker.exists = s.drops.exists = s.global_extcap.exists = s.global_plugin.exists = false;
  s.wireshark.loaded_plugins.clear();
  for (const Finding& f : examine(s)) {
    EXPECT_THAT(f.fix, Not(HasSubstr("setup.sh"))) << f.fact;
    if (f.level == Level::ok) continue;
    EXPECT_THAT(f.fix, StartsWith("sudo apt install --reinstall ./podshark_")) << f.fact;
  }
}

TEST(Drops, a_helper_that_could_not_load_its_program_says_why) {
  Scene s = healthy();
  s.drops_refused =
      Error{ErrorKind::unsupported, "the kernel refused the BPF program", "it needs Linux 5.19"};
  const Finding f = check_drops(s).at(0);
  EXPECT_EQ(f.level, Level::warn);
  EXPECT_EQ(f.fact + " | " + f.fix, "the kernel refused the BPF program | it needs Linux 5.19");
}

TEST(Drops, what_is_known_to_be_missing_is_told_before_what_came_of_it) {
  Scene s = healthy();
  s.drops.caps = {};
  s.drops_refused = Error{ErrorKind::permission, "not permitted", "join a group"};
  EXPECT_THAT(check_drops(s).at(0).fix, HasSubstr("setcap cap_bpf,cap_perfmon=p"));
}

TEST(Drops, root_needs_no_file_capabilities) {
  Scene s = healthy();
  s.caller.uid = 0;
  s.drops.caps = {};
  EXPECT_EQ(check_drops(s).at(0).level, Level::ok);
}

TEST(Wireshark, missing_tshark_is_one_failure_and_not_five) {
  Scene s = healthy();
  s.wireshark = {};
  s.wireshark.problem = "tshark not found";
  EXPECT_EQ(check_wireshark(s).at(0).level, Level::fail);
  EXPECT_TRUE(check_extcap(s).empty());
  EXPECT_TRUE(check_plugin(s).empty());
  EXPECT_TRUE(check_dumpcap(s).empty());
}

TEST(Wireshark, a_window_from_elsewhere_than_tshark_is_told) {
  Scene s = healthy();
  s.wireshark.gui = "/opt/ws/bin/wireshark";
  EXPECT_EQ(check_wireshark(s).at(0).level, Level::warn);
  EXPECT_THAT(check_wireshark(s).at(0).fact,
              HasSubstr("is /opt/ws/bin/wireshark, tshark 4.0.17 is in /usr/bin"));
  s.wireshark.gui.clear();
  EXPECT_EQ(check_wireshark(s).at(0).level, Level::ok);
  EXPECT_THAT(check_wireshark(s).at(0).fact, HasSubstr("not installed"));
}

TEST(Wireshark, one_in_a_sandbox_is_told_with_the_way_around_it) {
  Scene s = healthy();
  EXPECT_TRUE(check_sandboxed(s).empty());
  s.wireshark.sandboxed = {"Flatpak", "Snap"};
  const Findings found = check_sandboxed(s);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].level, Level::warn);
  EXPECT_THAT(found[0].fix, HasSubstr("-w - | flatpak run org.wireshark.Wireshark -k -i -"));
  EXPECT_THAT(found[1].fix, HasSubstr("-w - | snap run wireshark -k -i -"));
}

TEST(Podman, one_older_than_any_that_was_tried_is_told) {
  Scene s = healthy();
  for (const auto& [version, level] : {std::pair("4.2.9", Level::warn),
                                       {"3.4.4", Level::warn},
                                       {"4.3.1", Level::ok},
                                       {"5.10", Level::ok},
                                       {"10.0", Level::ok}}) {
    s.podman.version = version;
    EXPECT_EQ(check_podman(s).at(0).level, level) << version;
  }
}

TEST(Limits, each_that_is_too_low_has_its_own_line) {
  Scene s = healthy();
  s.kernel.open_files = 1024;
  s.kernel.address_space = 1 << 29;
  s.kernel.inotify = EMFILE;
  const Findings found = check_limits(s);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_THAT(found[0].fact, HasSubstr("at most 1024 open files: enough for 204 links"));
  EXPECT_THAT(found[1].fact, HasSubstr("at most 512 MiB of address space"));
  EXPECT_THAT(found[2].fix, HasSubstr("fs.inotify.max_user_instances"));
}

TEST(Extcap, absent_from_both_directories_names_both) {
  Scene s = healthy();
  s.global_extcap.exists = false;
  const Finding f = check_extcap(s).at(0);
  EXPECT_EQ(f.level, Level::fail);
  EXPECT_THAT(f.fact, HasSubstr("/usr/lib/ws/extcap"));
  EXPECT_THAT(f.fact, HasSubstr("/home/ann/.config/wireshark/extcap"));
}

TEST(Extcap, a_personal_copy_that_hides_the_installed_one_is_told) {
  Scene s = healthy();
  s.personal_extcap = file(s.personal_extcap.path, 9);
  const Findings found = check_extcap(s);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_THAT(found[0].fact, HasSubstr("another podshark"));
  EXPECT_EQ(found[1].topic, "duplicates");
  EXPECT_EQ(found[1].fix, "rm " + s.personal_extcap.path);
}

TEST(Plugin, present_but_not_loaded_is_a_failure) {
  Scene s = healthy();
  s.wireshark.loaded_plugins.clear();
  EXPECT_THAT(check_plugin(s).at(0).fact, HasSubstr("does not load it"));
}

TEST(Plugin, after_an_upgrade_of_wireshark_both_versions_are_named) {
  Scene s = healthy();
  s.wireshark.loaded_plugins.clear();
  s.global_plugin.exists = false;
  s.wireshark.version = "4.4.19";
  s.other_plugin_versions = {"4.0"};
  const Finding f = check_plugin(s).at(0);
  EXPECT_EQ(f.level, Level::fail);
  EXPECT_EQ(f.fact, "the plugin was built for Wireshark 4.0, this is 4.4.19");
}

TEST(Plugin, root_learns_that_personal_plugins_do_not_count) {
  Scene s = healthy();
  s.caller.uid = 0;
  s.wireshark.loaded_plugins.clear();
  s.global_plugin.exists = false;
  s.personal_plugin = file(s.personal_plugin.path, 2);
  EXPECT_EQ(check_plugin(s).at(0).level, Level::warn);
  EXPECT_THAT(check_plugin(s).at(0).fact, HasSubstr("runs as root"));
}

TEST(Plugin, two_copies_are_told) {
  Scene s = healthy();
  s.personal_plugin = file(s.personal_plugin.path, 8);
  EXPECT_EQ(check_plugin(s).at(1).topic, "duplicates");
}

TEST(Dumpcap, that_only_a_group_may_run_stops_everything_for_others) {
  Scene s = healthy();
  s.dumpcap.executable = false;
  s.dumpcap.mode = 0750;
  s.dumpcap.gid = 110;
  s.dumpcap.group = "wireshark";
  s.caller.session_groups = s.caller.database_groups = {"ann"};
  const Finding f = check_dumpcap(s).at(0);
  EXPECT_EQ(f.level, Level::fail);
  EXPECT_THAT(f.fact, HasSubstr("0750 root:wireshark"));
  EXPECT_THAT(f.fact, HasSubstr("cannot capture at all as you, also not through extcap"));
  EXPECT_EQ(f.fix, "sudo usermod -aG wireshark ann, then log in again");
}

TEST(Dumpcap, a_fresh_member_of_the_group_only_has_to_log_in_again) {
  Scene s = healthy();
  s.dumpcap.executable = false;
  s.dumpcap.mode = 0750;
  s.dumpcap.gid = 110;
  s.dumpcap.group = "wireshark";
  s.caller.session_groups = {"ann"};
  EXPECT_THAT(check_dumpcap(s).at(0).fix, HasSubstr("log in again"));
  EXPECT_EQ(check_dumpcap(s).at(0).fix.find("usermod"), std::string::npos);
}

TEST(Worker, missing_or_out_of_reach_leaves_own_containers_and_is_no_failure) {
  Scene s = healthy();
  s.worker.executable = false;
  s.caller.session_groups = s.caller.database_groups = {"ann"};
  EXPECT_EQ(check_worker(s).at(0).level, Level::warn);
  EXPECT_EQ(check_worker(s).at(0).fix, "sudo usermod -aG wireshark ann, then log in again");
  EXPECT_TRUE(check_rootful(s).empty());
  s.worker = {};
  EXPECT_EQ(check_worker(s).at(0).level, Level::warn);
}

TEST(Worker, writable_by_its_group_is_a_failure) {
  Scene s = healthy();
  s.worker.mode = 0770;
  EXPECT_EQ(check_worker(s).at(0).level, Level::fail);
}

TEST(Worker, missing_capabilities_are_named_with_the_command) {
  Scene s = healthy();
  s.worker.caps.permitted = 1ULL << CAP_NET_RAW;
  const Finding f = check_rootful(s).at(0);
  EXPECT_EQ(f.level, Level::warn);
  EXPECT_THAT(f.fact, HasSubstr("lacks the file capabilities cap_sys_admin,cap_sys_ptrace"));
  EXPECT_THAT(f.fix, HasSubstr("setcap cap_sys_admin,cap_sys_ptrace,cap_net_raw=p"));
}

// As `cmake --install` by root leaves it: capabilities alone would open it to everybody.
TEST(Worker, one_for_everybody_is_given_to_a_group_before_it_gets_capabilities) {
  Scene s = healthy();
  s.worker.mode = 0755;
  s.worker.gid = 0;
  s.worker.group = "root";
  s.worker.caps = {};
  const std::string& path = s.worker.path;
  const std::string fix = "sudo groupadd --system --force wireshark && sudo chown root:wireshark " + path +
                          " && sudo chmod 0750 " + path +
                          " && sudo setcap cap_sys_admin,cap_sys_ptrace,cap_net_raw=p " + path;
  EXPECT_EQ(check_worker(s).at(0).level, Level::ok);
  EXPECT_EQ(check_rootful(s).at(0).fix, fix);
  s.worker.gid = 50;  // of a directory that hands its group on
  s.worker.group = "staff";
  EXPECT_EQ(check_rootful(s).at(0).fix, fix);
}

TEST(Worker, one_that_everybody_may_run_with_capabilities_is_a_failure) {
  Scene s = healthy();
  s.worker.mode = 0755;
  const Finding f = check_worker(s).at(0);
  EXPECT_EQ(f.level, Level::fail);
  EXPECT_THAT(f.fact, HasSubstr("everybody may run it with its capabilities"));
  EXPECT_THAT(f.fix, HasSubstr("chown root:wireshark"));
  s.drops.mode = 0755;
  EXPECT_EQ(check_drops(s).at(0).level, Level::fail);
  EXPECT_THAT(check_drops(s).at(0).fix, HasSubstr("setcap cap_bpf,cap_perfmon=p " + s.drops.path));
}

TEST(Worker, what_others_may_write_has_its_capabilities_again_after_the_fix) {
  Scene s = healthy();
  s.worker.uid = 1000;  // chown clears them
  EXPECT_THAT(check_worker(s).at(0).fix, HasSubstr(" && sudo setcap "));
  s.worker.owner_hidden = true;
  EXPECT_EQ(check_worker(s).at(0).level, Level::ok) << "root's, seen from a user namespace";
  s.worker.owner_hidden = false;
  s.worker.uid = 0;
  s.worker.mode = 0770;
  EXPECT_THAT(check_worker(s).at(0).fix, StartsWith("sudo chown root:wireshark "));
}

TEST(Worker, capabilities_that_the_session_makes_void_are_told) {
  Scene s = healthy();
  s.caller.no_new_privs = true;
  EXPECT_THAT(check_rootful(s).at(0).fact, HasSubstr("no_new_privs"));
  s = healthy();
  s.worker.nosuid = true;
  EXPECT_THAT(check_rootful(s).at(0).fact, HasSubstr("nosuid"));
  s = healthy();
  s.caller.bounding = ~(1ULL << CAP_SYS_ADMIN);
  EXPECT_THAT(check_rootful(s).at(0).fact, HasSubstr("bounding set of this session lacks cap_sys_admin"));
}

// Each of the three files; `root root 0700` is what dpkg-statoverride is used for.
TEST(WhoMayRun, joining_a_group_is_advised_only_where_that_helps) {
  const auto told = [](auto change) {
    Scene s = healthy();
    for (FileFacts* f : {&s.worker, &s.drops, &s.dumpcap}) {
      *f = s.worker;
      f->executable = false;
      f->caps = {};
      change(*f, s.caller);
    }
    std::string all;
    for (const auto& check : {check_worker, check_drops, check_dumpcap}) {
      const Finding f = check(s).at(0);
      EXPECT_NE(f.level, Level::ok);
      all += f.fact + " | " + f.fix + "\n";
    }
    return all;
  };
  const auto nobody = [](FileFacts& f, Caller&) {
    f.mode = 0700;
    f.gid = 0;
    f.group = "root";
  };
  const auto root_s = [](FileFacts& f, Caller&) {
    f.gid = 0;
    f.group = "root";
  };
  const auto member = [](FileFacts&, Caller&) {};
  EXPECT_THAT(told(nobody),
              AllOf(HasSubstr("0700 root:root: restricted by the administrator"), Not(HasSubstr("usermod"))));
  EXPECT_THAT(told(root_s), AllOf(HasSubstr("restricted by the administrator"), Not(HasSubstr("usermod"))));
  EXPECT_THAT(told(member), AllOf(HasSubstr("restricted by the administrator"), Not(HasSubstr("usermod"))));
  EXPECT_THAT(told([](FileFacts& f, Caller&) { f.noexec = true; }),
              AllOf(HasSubstr("mounted noexec"), Not(HasSubstr("usermod"))));
  EXPECT_THAT(told([](FileFacts&, Caller& c) { c.session_groups = {"ann"}; }),
              AllOf(HasSubstr("log in again"), Not(HasSubstr("usermod"))));
  EXPECT_THAT(told([](FileFacts&, Caller& c) { c.session_groups = c.database_groups = {"ann"}; }),
              HasSubstr("sudo usermod -aG wireshark ann"));
}

TEST(Podman, silence_is_a_failure_and_a_missing_socket_is_not) {
  Scene s = healthy();
  s.podman.version.clear();
  s.podman.problem = "podman not found";
  EXPECT_EQ(check_podman(s).at(0).level, Level::fail);
  EXPECT_EQ(check_sockets(s).at(0).level, Level::ok);
}

TEST(Rootless, each_missing_piece_has_its_own_fix) {
  Scene s = healthy();
  s.userns = {0, 1, std::nullopt, true, true, true, true, true};
  EXPECT_THAT(check_user_namespaces(s).at(0).fix, HasSubstr("max_user_namespaces"));
  s.userns = {15000, 0, std::nullopt, true, false, true, false, false};
  EXPECT_THAT(check_user_namespaces(s).at(0).fix, HasSubstr("unprivileged_userns_clone=1"));
  s.userns.free_ids = 165536;
  EXPECT_THAT(check_subordinate_ids(s).at(0).fact, HasSubstr("no range in /etc/subgid:"));
  EXPECT_EQ(check_subordinate_ids(s).at(0).fix,
            "sudo usermod --add-subgids 165536-231071 ann && podman system migrate");
  s.userns.subuid = false;
  EXPECT_THAT(check_subordinate_ids(s).at(0).fix,
              HasSubstr("--add-subuids 165536-231071 --add-subgids 165536-231071 ann"));
  EXPECT_THAT(check_rootless_network(s).at(0).fix, HasSubstr("passt"));
  s.userns.slirp4netns = true;
  s.podman.version = "4.9.4";
  EXPECT_EQ(check_rootless_network(s).at(0).level, Level::ok);
  s.podman.version = "5.0.0";
  EXPECT_EQ(check_rootless_network(s).at(0).fix, "sudo apt-get install passt");
  s.userns = {15000, std::nullopt, 1, true, true, false, true, true};
  EXPECT_THAT(check_user_namespaces(s).at(0).fact, HasSubstr("AppArmor"));
  EXPECT_THAT(check_subordinate_ids(s).at(0).fix, HasSubstr("uidmap"));
}

TEST(Rootless, where_apparmor_restricts_user_namespaces_podman_s_profile_counts) {
  Scene s = healthy();
  s.userns.apparmor_restrict = 1;
  EXPECT_EQ(check_user_namespaces(s).at(0).level, Level::warn);
  EXPECT_THAT(check_user_namespaces(s).at(0).fix, HasSubstr("sudo tee /etc/apparmor.d/podman && "));
  EXPECT_THAT(check_user_namespaces(s).at(0).fix, Not(HasSubstr("sysctl")));
  s.userns.podman_profile = "/etc/apparmor.d/podman";
  EXPECT_EQ(check_user_namespaces(s).at(0).level, Level::ok);
  s.userns.podman_profile_disabled = true;
  EXPECT_THAT(check_user_namespaces(s).at(0).fix, HasSubstr("rm /etc/apparmor.d/disable/podman"));
}

TEST(Rootless, is_none_of_root_s_business) {
  Scene s = healthy();
  s.caller.uid = 0;
  s.userns = {};
  EXPECT_TRUE(check_user_namespaces(s).empty());
  EXPECT_TRUE(check_subordinate_ids(s).empty());
  EXPECT_TRUE(check_rootless_network(s).empty());
}

TEST(Kernel, without_a_packet_ring_fails_but_not_being_able_to_try_only_warns) {
  Scene s = healthy();
  s.kernel.tpacket_v3 = EAFNOSUPPORT;
  EXPECT_EQ(check_kernel(s).at(0).level, Level::fail);
  s.kernel.tpacket_v3 = EPERM;
  EXPECT_EQ(check_kernel(s).at(0).level, Level::warn);
  s.kernel = {"5.2", 0, ENOSYS};
  EXPECT_EQ(check_kernel(s).at(0).level, Level::fail);
}

TEST(UserNamespaces, are_read_below_the_given_root) {
  const auto root = std::filesystem::temp_directory_path() / ("doctor-root-" + std::to_string(::getpid()));
  std::filesystem::create_directories(root / "proc/sys/user");
  std::filesystem::create_directories(root / "etc");
  std::ofstream(root / "proc/sys/user/max_user_namespaces") << "7\n";
  std::ofstream(root / "etc/subuid") << "ann:100000:65536\n";
  std::ofstream(root / "etc/subgid") << "bob:165536:65536\n";
  std::filesystem::create_directories(root / "etc/apparmor.d");
  std::ofstream(root / "etc/apparmor.d/podman")
      << "profile podman /usr/bin/podman flags=(unconfined) {\n  userns,\n}\n";
  const UserNamespaces ns = read_user_namespaces(root.string(), healthy().caller);
  std::filesystem::remove_all(root);
  EXPECT_EQ(ns.max, 7U);
  EXPECT_EQ(ns.unprivileged_clone, std::nullopt);
  EXPECT_TRUE(ns.subuid);
  EXPECT_FALSE(ns.subgid);
  EXPECT_EQ(ns.free_ids, 231072U);
  EXPECT_EQ(ns.podman_profile, "/etc/apparmor.d/podman");
  EXPECT_FALSE(ns.podman_profile_disabled);
}

}  // namespace
}  // namespace podshark::extcap::doctor
