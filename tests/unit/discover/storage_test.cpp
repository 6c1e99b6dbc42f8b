// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/discover/storage.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/unit/temp_tree.h"

namespace podshark::discover {
namespace {

using test::TempTree;

User user_in(const TempTree& tree, uid_t uid) {
  User user;
  user.uid = uid;
  user.home = tree.path() + "/home";
  user.config_home = user.home + "/.config";
  user.data_home = user.home + "/.local/share";
  return user;
}

TEST(HasStorage, a_user_who_never_used_podman_has_none) {
  const TempTree tree;
  EXPECT_FALSE(has_storage(user_in(tree, 1000), tree.path()));
  EXPECT_FALSE(has_storage(user_in(tree, 0), tree.path()));
}

TEST(HasStorage, either_database_counts_an_empty_directory_does_not) {
  const TempTree tree;
  const std::string graph = "home/.local/share/containers/storage/";
  tree.write(graph + "overlay/x", "");
  EXPECT_FALSE(has_storage(user_in(tree, 1000), tree.path()));
  tree.write(graph + "libpod/bolt_state.db", "");
  EXPECT_TRUE(has_storage(user_in(tree, 1000), tree.path()));
  const TempTree other;
  other.write(graph + "db.sql", "");
  EXPECT_TRUE(has_storage(user_in(other, 1000), other.path()));
}

TEST(HasStorage, root_has_its_own_place) {
  const TempTree tree;
  tree.write("var/lib/containers/storage/db.sql", "");
  EXPECT_TRUE(has_storage(user_in(tree, 0), tree.path()));
  EXPECT_FALSE(has_storage(user_in(tree, 1000), tree.path()));
}

TEST(GraphRoot, users_file_wins_over_the_systems_and_rootless_path_is_expanded) {
  const TempTree tree;
  tree.write("etc/containers/storage.conf",
             "[storage]\n# rootless_storage_path = \"/no\"\ngraphroot = \"/srv/root\"\n"
             "rootless_storage_path = \"$HOME/pods/$UID\"\n");
  EXPECT_EQ(graph_root(user_in(tree, 1000), tree.path()), tree.path() + "/home/pods/1000");
  EXPECT_EQ(graph_root(user_in(tree, 0), tree.path()), "/srv/root");
  tree.write("home/.config/containers/storage.conf", "[storage]\n  graphroot='/data/me' # mine\n");
  EXPECT_EQ(graph_root(user_in(tree, 1000), tree.path()), "/data/me");
  EXPECT_EQ(graph_root(user_in(tree, 0), tree.path()), "/srv/root");
}

TEST(GraphRoot, the_environment_is_put_in) {
  const TempTree tree;
  ASSERT_EQ(::setenv("PODSHARK_TEST_USER", "me", 1), 0);
  tree.write("etc/containers/storage.conf",
             "rootless_storage_path = "
             "\"/scratch/$PODSHARK_TEST_USER/${PODSHARK_TEST_USER}x/$/${HOME}/$PODSHARK_TEST_NOBODY-1\"\n");
  EXPECT_EQ(graph_root(user_in(tree, 1000), tree.path()), "/scratch/me/mex/$/" + tree.path() + "/home/-1");
}

TEST(GraphRoot, the_environments_file_wins_over_all) {
  const TempTree tree;
  tree.write("home/.config/containers/storage.conf", "graphroot = \"/data/me\"\n");
  User user = user_in(tree, 1000);
  user.storage_conf = tree.write("env.conf", "graphroot = \"/data/env\"\n");
  EXPECT_EQ(graph_root(user, tree.path()), "/data/env");
}

TEST(GraphRoot, broken_files_are_ignored) {
  const TempTree tree;
  for (const char* text :
       {"graphroot", "graphroot = ", "graphroot = \"\"", "graphroot = /x", "graphroot = \"", "=\n=="}) {
    tree.write("home/.config/containers/storage.conf", text);
    EXPECT_EQ(graph_root(user_in(tree, 1000), tree.path()),
              tree.path() + "/home/.local/share/containers/storage")
        << text;
  }
}

TEST(CallingUser, follows_the_environment) {
  const test::ScopedEnv home("HOME", "/h");
  const test::ScopedEnv data("XDG_DATA_HOME", nullptr);
  const test::ScopedEnv config("XDG_CONFIG_HOME", "/c");
  const test::ScopedEnv runtime("XDG_RUNTIME_DIR", nullptr);
  const User user = calling_user();
  EXPECT_EQ(user.uid, ::geteuid());
  EXPECT_EQ(user.data_home, "/h/.local/share");
  EXPECT_EQ(user.config_home, "/c");
  EXPECT_EQ(user.runtime_dir, "/run/user/" + std::to_string(::geteuid()));
}

}  // namespace
}  // namespace podshark::discover
