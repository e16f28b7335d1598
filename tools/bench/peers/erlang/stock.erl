%% One process per SKU. It never oversells: what is in memory counts, and every change is in the journal before the
%% order's own last event is.
-module(stock).
-behaviour(gen_server).
-export([start_link/2, init/1, handle_call/3, handle_cast/2]).
-record(s, {id, available, reserved = 0, sold = 0}).

start_link(Id, Available) -> gen_server:start_link(?MODULE, {Id, Available}, []).
init({Id, Available}) -> {ok, #s{id = Id, available = Available}}.

handle_call({reserve, Oid, Seq, Q}, _, S = #s{available = A, reserved = R}) when A >= Q ->
    done({Oid, Seq, reserved, Q}, S#s{available = A - Q, reserved = R + Q});
handle_call({reserve, _, _, _}, _, S) -> {reply, insufficient, S};
handle_call({commit, Oid, Seq, Q}, _, S = #s{reserved = R, sold = D}) when R >= Q ->
    done({Oid, Seq, committed, Q}, S#s{reserved = R - Q, sold = D + Q});
handle_call({release, Oid, Seq, Q}, _, S = #s{available = A, reserved = R}) when R >= Q ->
    done({Oid, Seq, released, Q}, S#s{available = A + Q, reserved = R - Q});
handle_call(get, _, S = #s{available = A, reserved = R, sold = D}) -> {reply, {A, R, D}, S}.
handle_cast(_, S) -> {noreply, S}.

done({Oid, Seq, Kind, Q}, S = #s{id = Id}) ->
    journal:cast(journal:encode(Oid, Seq, Kind, Id, Q)),
    {reply, ok, S}.
