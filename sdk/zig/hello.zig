//! A complete plugin in Zig: accepts every event and records how many it has seen. It takes the contract from the C header:
//! zig translate-c -lc ../c/postroom_plugin.h > postroom_plugin.zig
//! zig build-lib -dynamic -O ReleaseSmall -lc --dep postroom_plugin -Mroot=hello.zig -Mpostroom_plugin=postroom_plugin.zig

const std = @import("std");
const c = @import("postroom_plugin");

export const postroom_manifest_v1 =
    \\{"manifest":1,"id":"hello-zig","name":"Hello (Zig)","version":"0.1.0","abi":"1.1","kinds":["*"],
    \\"capabilities":["log"],"concurrency":8,"network":"none"}
.*;

const Hello = struct { host: *const c.postroom_host, seen: std.atomic.Value(u64) };

fn text(bytes: []const u8) c.postroom_str {
    return .{ .ptr = bytes.ptr, .len = bytes.len };
}

fn create(host: [*c]const c.postroom_host, config: c.postroom_str, out: [*c]?*anyopaque, err: [*c]c.postroom_errbuf) callconv(.c) c.postroom_status {
    _ = config;
    _ = err;
    const hello = std.heap.c_allocator.create(Hello) catch return c.POSTROOM_E_UNAVAILABLE;
    hello.* = .{ .host = host, .seen = .init(0) };
    out.* = hello;
    return c.POSTROOM_OK;
}

fn deliver(instance: ?*anyopaque, token: c.postroom_token, event: [*c]const c.postroom_event) callconv(.c) c.postroom_status {
    const hello: *Hello = @ptrCast(@alignCast(instance.?));
    const host = hello.host;
    const seen = hello.seen.fetchAdd(1, .monotonic) + 1;
    var buffer: [64]u8 = undefined;
    const record = std.fmt.bufPrint(&buffer, "{{\"seen\":{d},\"bytes\":{d}}}", .{ seen, event.*.body.len }) catch unreachable;
    host.log.?(host.ctx, c.POSTROOM_LOG_INFO, token, text("hello"), event.*.kind, text(""));
    var done = std.mem.zeroes(c.postroom_outcome);
    done.struct_size = @sizeOf(c.postroom_outcome);
    done.kind = c.POSTROOM_OUT_DELIVERED;
    done.record_json = text(record);
    _ = host.complete.?(host.ctx, token, &done); // Completing inside deliver is allowed.
    return c.POSTROOM_OK;
}

fn destroy(instance: ?*anyopaque) callconv(.c) void {
    const hello: *Hello = @ptrCast(@alignCast(instance.?));
    std.heap.c_allocator.destroy(hello);
}

const table = blk: {
    var made = std.mem.zeroes(c.postroom_plugin);
    made.struct_size = @sizeOf(c.postroom_plugin);
    made.abi_major = c.POSTROOM_ABI_MAJOR;
    made.abi_minor = c.POSTROOM_ABI_MINOR;
    made.required_caps = c.POSTROOM_CAP_LOG;
    made.create = create;
    made.deliver = deliver;
    made.destroy = destroy;
    break :blk made;
};

export fn postroom_plugin_entry_v1(minor: u32, caps: u64, err: [*c]c.postroom_errbuf) *const c.postroom_plugin {
    _ = minor;
    _ = caps;
    _ = err;
    return &table;
}
