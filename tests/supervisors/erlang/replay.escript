#!/usr/bin/env escript
%% Plays the sequences of a file on Erlang's supervisor, and prints for each what it did.
%%
%% usage: escript replay.escript SEQUENCES
%%
%% A sequence is {Number, Tree, Steps}. as tests/supervisors/random_tree.cpp writes it. A line is
%%   NUMBER ended=BOOL gave_up=COUNT log=start w1,start w2,stop w2...
%% with the stops of instances sorted where they follow each other: they are stopped together.
-module(replay).
-mode(compile).
-export([main/1, init/1, start_supervisor/1, start_worker/1, init_worker/2, log/2]).

main([File]) ->
    {ok, Sequences} = file:consult(File),
    ok = logger:add_handler(give_ups, ?MODULE, #{}),
    ok = logger:remove_handler(default),
    process_flag(trap_exit, true),
    ets:new(facts, [named_table, public, ordered_set]),
    lists:foreach(fun play/1, Sequences).

play({Number, Tree, Steps}) ->
    ets:delete_all_objects(facts),
    {ok, Root} = start_supervisor(Tree),
    Parents = parents(Tree, []),
    lists:foldl(fun(Step, Known) -> carry_out(Step, Known) end, Parents, Steps),
    Log = [Line || [Line] <- ets:match(facts, {{log, '_'}, '$1'})], % in order: the table is sorted
    io:format("~b ended=~s gave_up=~b log=~s~n",
              [Number, not is_process_alive(Root), count(gave_up),
               lists:join(",", sorted_instances(Log))]),
    finish(Root).

finish(Root) ->
    exit(Root, kill_children_first),
    receive {'EXIT', Root, _} -> ok
    after 5000 -> exit({root_does_not_end, Root})
    end.

%% -- The tree: ids are atoms ----------------------------------------------------------------------

id_of(Node) -> element(2, Node).

parents({supervisor, Id, _, _, _, _, _, Children}, Above) ->
    Own = [Id | Above],
    lists:foldl(fun maps:merge/2, #{Id => Above}, [parents(Child, Own) || Child <- Children]);
parents(Node, Above) -> #{id_of(Node) => Above}.

start_supervisor(Node) ->
    case supervisor:start_link(?MODULE, Node) of
        {ok, Pid} -> ets:insert(facts, {{pid, id_of(Node)}, Pid}), {ok, Pid};
        Error -> Error
    end.

flags(Strategy, Intensity, End) ->
    #{strategy => Strategy, intensity => Intensity, period => 1000000, auto_shutdown => End}.

init({supervisor, _, _, _, Intensity, End, Strategy, Children}) ->
    {ok, {flags(Strategy, Intensity, End), [spec(Child) || Child <- Children]}};
init({dynamic, _, _, _, Intensity, End, Restart, Significant}) ->
    Template = #{id => instance, start => {?MODULE, start_worker, []}, restart => Restart,
                 significant => Significant},
    {ok, {flags(simple_one_for_one, Intensity, End), [Template]}}.

spec({worker, Id, Restart, Significant}) ->
    #{id => Id, start => {?MODULE, start_worker, [Id]}, restart => Restart,
      significant => Significant};
spec(Node) ->
    #{id => id_of(Node), start => {?MODULE, start_supervisor, [Node]}, type => supervisor,
      restart => element(3, Node), significant => element(4, Node)}.

%% -- Workers --------------------------------------------------------------------------------------

start_worker(Id) ->
    case ets:member(facts, {spoiled, Id}) of
        true -> write("fail", Id), {error, no_luck};
        false -> proc_lib:start_link(?MODULE, init_worker, [self(), Id])
    end.

init_worker(Parent, Id) ->
    process_flag(trap_exit, true),
    write("start", Id),
    ets:insert(facts, {{pid, Id}, self()}),
    proc_lib:init_ack(Parent, {ok, self()}),
    receive
        crash -> exit(boom);
        finish -> exit(normal);
        {'EXIT', Parent, Reason} -> write("stop", Id), exit(Reason)
    end.

write(What, Id) ->
    ets:insert(facts, {{log, erlang:unique_integer([monotonic])}, io_lib:format("~s ~s", [What, Id])}).

%% -- Steps ----------------------------------------------------------------------------------------

carry_out({spoil, Id}, Known) -> ets:insert(facts, {{spoiled, Id}}), Known;
carry_out({mend, Id}, Known) -> ets:delete(facts, {spoiled, Id}), Known;
carry_out({wait, _}, Known) -> Known;
carry_out({start, Id, Under}, Known) ->
    _ = supervisor:start_child(pid(Under), [Id]),
    Known#{Id => [Under | maps:get(Under, Known)]};
carry_out({stop, Id, Under}, Known) ->
    ok = supervisor:terminate_child(pid(Under), pid(Id)),
    Known;
carry_out({How, Id}, Known) ->
    Pid = pid(Id),
    Above = [pid(Supervisor) || Supervisor <- maps:get(Id, Known)],
    Pid ! How,
    settle(Pid, Above),
    Known.

pid(Id) -> ets:lookup_element(facts, {pid, Id}, 2).

%% Until the supervisor of what ended has dealt with it: or, if that has ended over it, the one above.
settle(_, []) -> ok;
settle(Pid, [Supervisor | Above]) ->
    try supervisor:which_children(Supervisor) of
        Children ->
            Busy = [Child || {_, Child, _, _} <- Children, Child =:= Pid orelse Child =:= restarting],
            case Busy of
                [] -> ok;
                _ -> erlang:yield(), settle(Pid, [Supervisor | Above])
            end
    catch
        exit:_ -> settle(Supervisor, Above)
    end.

%% -- What it says ---------------------------------------------------------------------------------

%% A logger handler, called by the supervisor that gives up before it ends.
log(#{msg := {report, #{label := {supervisor, shutdown}, report := Report}}}, _) ->
    case lists:keyfind(reason, 1, Report) of
        {reason, reached_max_restart_intensity} ->
            ets:update_counter(facts, gave_up, 1, {gave_up, 0}), ok;
        _ -> ok
    end;
log(_, _) -> ok.

count(What) ->
    case ets:lookup(facts, What) of
        [{_, Count}] -> Count;
        [] -> 0
    end.

sorted_instances(Lines) -> sorted_instances([lists:flatten(Line) || Line <- Lines], []).

sorted_instances([], Done) -> lists:reverse(Done);
sorted_instances(["stop i" ++ _ | _] = Lines, Done) ->
    {Stops, Rest} = lists:splitwith(fun(Line) -> lists:prefix("stop i", Line) end, Lines),
    sorted_instances(Rest, lists:reverse(lists:sort(Stops)) ++ Done);
sorted_instances([Line | Rest], Done) -> sorted_instances(Rest, [Line | Done]).
