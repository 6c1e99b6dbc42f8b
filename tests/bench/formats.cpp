// SPDX-License-Identifier: GPL-2.0-or-later
// What a packet and an inventory cost where they are written and read; run.sh prints it below its own table.
#include <benchmark/benchmark.h>

#include <vector>

#include "podman/annotate/codec.h"
#include "podman/wire/pcapng.h"

namespace podshark {
namespace {

void packet(benchmark::State& state) {
  const std::vector<std::uint8_t> data(static_cast<std::size_t>(state.range(0)));
  const auto size = static_cast<std::uint32_t>(data.size());
  wire::Bytes out;
  for (auto _ : state) {
    if (out.size > (1U << 20U)) out.size = 0;  // as the recorder does after a write
    benchmark::DoNotOptimize(wire::put_packet(&out, 1, 1700000000123456789U, data.data(), size, size));
  }
  wire::free_bytes(&out);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(packet)->Arg(60)->Arg(200)->Arg(1500);

model::Inventory inventory(std::int64_t containers) {
  model::Inventory out;
  out.host = "bench";
  for (std::int64_t i = 0; i < containers; ++i) {
    model::Container c;
    c.id = std::string(64, 'a');
    c.name = "container" + std::to_string(i);
    c.image = "docker.io/library/nginx:1.27";
    c.state = "running";
    c.pid = static_cast<pid_t>(1000 + i);
    c.mode = "bridge";
    c.kind = model::NetworkKind::bridge;
    c.networks.push_back({"podman", "eth0", "02:00:00:00:00:01", {"10.88.0.2/16"}, "10.88.0.1"});
    c.ports.push_back({"", 8080, 80, 1, "tcp"});
    c.labels = {{"com.docker.compose.project", "shop"}, {"maintainer", "somebody"}};
    out.containers.push_back(std::move(c));
  }
  return out;
}

void encode(benchmark::State& state) {
  const model::Inventory known = inventory(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(annotate::encode_inventory_parts(known));
}
BENCHMARK(encode)->Arg(10)->Arg(1000);

void decode(benchmark::State& state) {
  const std::string text = annotate::encode_inventory(inventory(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(annotate::decode_inventory(text));
}
BENCHMARK(decode)->Arg(10)->Arg(1000);

}  // namespace
}  // namespace podshark

BENCHMARK_MAIN();
