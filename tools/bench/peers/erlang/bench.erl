%% bench:main([File, Skus, Clients, WarmUpSeconds, Seconds]): orders from processes in this node, each waiting for its
%% answer before it places the next. Prints "ORDERS_PER_SECOND P50_MS P99_MS" when journal and stock agree afterwards.
-module(bench).
-export([main/1]).

-define(STOCK, 1000000000).

main([File | Numbers]) ->
    [Skus, Clients, WarmUp, Seconds] = [list_to_integer(N) || N <- Numbers],
    {ok, _} = opsup:start_link(File),
    Stock = [begin {ok, P} = supervisor:start_child(stock_sup, [I, ?STOCK]), P end || I <- lists:seq(1, Skus)],
    persistent_term:put(skus, list_to_tuple(Stock)),
    persistent_term:put(ids, atomics:new(1, [])),
    From = now_us() + WarmUp * 1000000,
    To = From + Seconds * 1000000,
    Self = self(),
    Started = [spawn_link(fun() -> client(Self, Skus, From, To, 0, []) end) || _ <- lists:seq(1, Clients)],
    Counted = [receive {Client, Result} -> Result end || Client <- Started],
    Took = lists:sort(lists:append([L || {_, L} <- Counted])),
    check(File, lists:sum([C || {C, _} <- Counted]), [gen_server:call(P, get) || P <- Stock]),
    io:format("~.1f ~.3f ~.3f~n", [length(Took) / Seconds, quantile(Took, 0.5), quantile(Took, 0.99)]),
    halt(0).

client(Parent, Skus, From, To, Placed, Took) ->
    Sent = now_us(),
    case Sent >= To of
        true -> Parent ! {self(), {Placed, Took}};
        false ->
            confirmed = place(rand:uniform(Skus), rand:uniform(Skus)),
            Answered = now_us(),
            Counts = Answered >= From andalso Answered < To,
            client(Parent, Skus, From, To, Placed + 1, case Counts of true -> [Answered - Sent | Took]; false -> Took end)
    end.

place(A, B) ->
    Oid = atomics:add_get(persistent_term:get(ids), 1, 1),
    {ok, Pid} = supervisor:start_child(order_sup, [Oid]),
    order:place(Pid, A, B).

%% Every order confirmed, with 8 events on disk, and the stock exact.
check(File, Placed, Stock) ->
    #{confirmed := Confirmed} = Kinds = journal:replay(File),
    Events = lists:sum(maps:values(Kinds)),
    Sold = lists:sum([S || {_, _, S} <- Stock]),
    Reserved = lists:sum([R || {_, R, _} <- Stock]),
    {Placed, Placed, 0} = {Confirmed, Sold div 2, Reserved},
    Events = 8 * Placed.

quantile([], _) -> 0.0;
quantile(Sorted, Q) -> lists:nth(trunc((length(Sorted) - 1) * Q) + 1, Sorted) / 1000.

now_us() -> erlang:monotonic_time(microsecond).
