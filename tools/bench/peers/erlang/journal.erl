%% One writer with group commit: everything that waits in the mailbox, one write, one fdatasync, then every answer of
%% that batch. A record is length:32, crc:32, payload.
-module(journal).
-export([start_link/1, init/2, encode/5, cast/1, sync/1, replay/1]).

-define(MOST_IN_A_BATCH, 20000).

start_link(File) -> proc_lib:start_link(?MODULE, init, [self(), File]).

init(Parent, File) ->
    register(?MODULE, self()),
    {ok, Fd} = file:open(File, [raw, binary, append]),
    process_flag(priority, high),
    proc_lib:init_ack(Parent, {ok, self()}),
    loop(Fd).

encode(Oid, Seq, Kind, Sku, Amount) ->
    P = term_to_binary({Oid, Seq, Kind, Sku, Amount, os:system_time(microsecond)}),
    [<<(byte_size(P)):32, (erlang:crc32(P)):32>>, P].

cast(Record) -> ?MODULE ! {event, Record}, ok.                     % in order, without waiting
sync(Record) -> gen_server:call(?MODULE, {event, Record}, infinity). % back when it is durable

loop(Fd) ->
    receive M -> batch(Fd, add(M, {[], [], 0})) end.

batch(Fd, Batch = {_, _, N}) when N < ?MOST_IN_A_BATCH ->
    receive M -> batch(Fd, add(M, Batch))
    after 0 -> flush(Fd, Batch) end;
batch(Fd, Batch) -> flush(Fd, Batch).

add({event, R}, {Io, Waiting, N}) -> {[R | Io], Waiting, N + 1};
add({'$gen_call', From, {event, R}}, {Io, Waiting, N}) -> {[R | Io], [From | Waiting], N + 1}.

flush(Fd, {Io, Waiting, _}) ->
    ok = file:write(Fd, lists:reverse(Io)),
    ok = file:datasync(Fd),
    [gen_server:reply(From, ok) || From <- Waiting],
    loop(Fd).

%% How many events there are of each kind; every checksum is checked.
replay(File) ->
    {ok, Bytes} = file:read_file(File),
    replay(Bytes, #{}).

replay(<<L:32, C:32, P:L/binary, Rest/binary>>, Kinds) ->
    C = erlang:crc32(P),
    {_, _, Kind, _, _, _} = binary_to_term(P),
    replay(Rest, maps:update_with(Kind, fun(N) -> N + 1 end, 1, Kinds));
replay(<<>>, Kinds) -> Kinds.
