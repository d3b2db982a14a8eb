BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'otklik','001_first','2026-11-22 00:11:51.497230+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'otklik','002_teams_waiting','2026-11-29 07:33:20.631541+00:00');
INSERT INTO "_sqlite_migrations" VALUES(3,'otklik','003_desk_state','2026-11-29 13:56:53.081880+00:00');
INSERT INTO "_sqlite_migrations" VALUES(4,'otklik','004_growth','2026-11-29 18:27:21.698762+00:00');
INSERT INTO "_sqlite_migrations" VALUES(5,'otklik','005_service','2026-11-29 23:08:07.921733+00:00');
INSERT INTO "_sqlite_migrations" VALUES(6,'otklik','006_channels','2026-11-30 02:04:47.965491+00:00');
CREATE TABLE article_versions(
      id integer primary key autoincrement, article text not null, at integer not null,
      actor text not null default '', act text not null, reason text not null default '',
      content text) strict;
CREATE TABLE chat_lines(
      channel text not null, chat text not null, number integer not null, source text not null,
      kind text not null, message text not null, own integer not null default 0,
      edited integer not null default 0, conversation integer not null references conversations,
      at integer not null, payload text not null default '', primary key(channel, chat, number),
      unique(channel, source)) strict;
CREATE TABLE conversations(
      id integer primary key autoincrement, channel text not null, chat text not null, thread text not null default '',
      private integer not null, customer integer references customers,
      status text not null default 'bot' check(status in ('bot', 'waiting', 'operator')),
      state text not null default '{}', version integer not null default 0, ticket integer, reachable integer not null default 1,
      ready_at integer,    -- when its waiting inbounds may be taken; null = none wait
      ready_max integer,   -- the latest `ready` of those that wait
      limit_at integer,    -- never later than this
      rest_until integer,  -- after a failure: not before this
      attempts integer not null default 0, error text not null default '', created integer not null,
      unique(channel, chat, thread)) strict;
INSERT INTO "conversations" VALUES(1,'telegram','1001','',1,1,'operator','{}',5,1,1,1795165645200,1795165645200,1795165648000,NULL,0,'',1795165200000);
INSERT INTO "conversations" VALUES(2,'telegram','-100500','1003',0,NULL,'bot','{}',0,NULL,1,NULL,NULL,NULL,NULL,0,'',1795165212000);
INSERT INTO "conversations" VALUES(3,'vk','77','',1,2,'bot','{"greeted":true,"at":"2026-11-20T09:07:24+00:00","rating":{"ticket":2,"at":"2026-11-20T09:07:24+00:00","stage":"comment"}}',7,NULL,1,NULL,NULL,NULL,NULL,0,'',1795165236000);
INSERT INTO "conversations" VALUES(4,'telegram','-100500','1014',0,NULL,'bot','{}',0,NULL,1,NULL,NULL,NULL,NULL,0,'',1795165248000);
CREATE TABLE cursors(channel text primary key, value text not null, moved integer not null) strict;
CREATE TABLE customers(
      id integer primary key autoincrement, name text not null default '', last_name text not null default '',
      username text not null default '', language text not null default 'ru', gender text not null default '',
      fields text not null default '{}',
      told text not null default '',  -- the names as the platform last told them: ours change only when these do
      created integer not null, erased integer) strict;
INSERT INTO "customers" VALUES(1,'Анна','','','ru','','{}','["Анна","",""]',1795165200000,NULL);
INSERT INTO "customers" VALUES(2,'Борис','','','ru','','{"rating_asked":"2026-11-20T09:07:12+00:00"}','["Борис","",""]',1795165236000,NULL);
CREATE TABLE desk_groups(
      channel text not null, chat text not null, lost integer not null default 0,
      -- as the platform last told of it; null = never asked
      status text,
      primary key(channel, chat)) strict;
CREATE TABLE events(
      id integer primary key, kind text not null, at integer not null, conversation integer, ticket integer,
      actor text not null default '', data text not null default '{}') strict;
INSERT INTO "events" VALUES(1,'heard',1795165206000,1,NULL,'','{"channel":"telegram","dialog":"faq","result":"answered","seconds":6.0}');
INSERT INTO "events" VALUES(2,'answered',1795165206000,1,NULL,'','{"article":"delivery"}');
INSERT INTO "events" VALUES(3,'heard',1795165212000,1,1,'','{"channel":"telegram","dialog":"desk","result":"handed_off","seconds":6.0}');
INSERT INTO "events" VALUES(4,'ticket_opened',1795165212000,1,1,'','{"reason":"asked","open":true,"topic":"Сроки доставки","priority":0}');
INSERT INTO "events" VALUES(5,'operator_met',1795165218000,1,1,'telegram:9001','{"name":"Ольга","username":""}');
INSERT INTO "events" VALUES(6,'ticket_taken',1795165218000,1,1,'telegram:9001','{"how":"button","from":""}');
INSERT INTO "events" VALUES(7,'first_reply',1795165224000,1,1,'telegram:9001','{}');
INSERT INTO "events" VALUES(8,'operator_wrote',1795165224000,1,1,'telegram:9001','{}');
INSERT INTO "events" VALUES(9,'heard',1795165230000,1,1,'','{"channel":"telegram","dialog":"relay","result":"carried","seconds":6.0}');
INSERT INTO "events" VALUES(10,'customer_wrote',1795165230000,1,1,'','{"messages":1}');
INSERT INTO "events" VALUES(11,'heard',1795165242000,3,NULL,'','{"channel":"vk","dialog":"faq","result":"answered","seconds":6.0}');
INSERT INTO "events" VALUES(12,'answered',1795165242000,3,NULL,'','{"article":"cost"}');
INSERT INTO "events" VALUES(13,'heard',1795165248000,3,2,'','{"channel":"vk","dialog":"desk","result":"handed_off","seconds":6.0}');
INSERT INTO "events" VALUES(14,'ticket_opened',1795165248000,3,2,'','{"reason":"asked","open":true,"topic":"Стоимость доставки","priority":0}');
INSERT INTO "events" VALUES(15,'ticket_taken',1795165254000,3,2,'telegram:9001','{"how":"button","from":""}');
INSERT INTO "events" VALUES(16,'first_reply',1795165260000,3,2,'telegram:9001','{}');
INSERT INTO "events" VALUES(17,'operator_wrote',1795165260000,3,2,'telegram:9001','{}');
INSERT INTO "events" VALUES(18,'ticket_closed',1795165266000,3,2,'telegram:9001','{}');
INSERT INTO "events" VALUES(19,'rating_asked',1795165632000,3,2,'telegram:9001','{}');
INSERT INTO "events" VALUES(20,'heard',1795165644000,3,2,'','{"channel":"vk","dialog":"rating","result":"answered","seconds":6.0}');
INSERT INTO "events" VALUES(21,'rated',1795165644000,3,2,'telegram:9001','{"rating":5}');
CREATE TABLE file_parts(
      file text not null, part integer not null, conversation integer not null references conversations,
      at integer not null, content text not null, primary key(file, part)) strict;
CREATE TABLE history(
      id integer primary key, conversation integer not null references conversations, at integer not null,
      author text not null check(author in ('customer', 'bot', 'operator', 'note', 'system')), name text not null default '',
      text text not null, attachments text not null default '[]', message text not null default '', outbound integer) strict;
INSERT INTO "history" VALUES(1,1,1795165200000,'customer','Анна','Сколько идёт доставка?','[]','mk1',NULL);
INSERT INTO "history" VALUES(2,1,1795165206000,'bot','','Здравствуйте, Анна!

Доставка занимает 3–5 дней.

Это помогло?','[]','',1);
INSERT INTO "history" VALUES(3,1,1795165206000,'customer','Анна','позовите оператора','[{"media":"photo","ref":"ref1","channel":"telegram","name":"чек.jpg"}]','mk3',NULL);
INSERT INTO "history" VALUES(4,1,1795165212000,'bot','','Анна, зову оператора.
Номер обращения — №1. Вы первый в очереди. Можно дописать подробности сюда.','[]','',2);
INSERT INTO "history" VALUES(5,1,1795165218000,'bot','','Анна, с вами Ольга — сейчас ответит.','[]','',5);
INSERT INTO "history" VALUES(6,1,1795165224000,'operator','Ольга','Здравствуйте! Смотрю.','[]','',9);
INSERT INTO "history" VALUES(7,1,1795165224000,'customer','Анна','жду','[]','mk9',NULL);
INSERT INTO "history" VALUES(8,1,1795165230000,'note','Ольга','проверить склад','[]','',NULL);
INSERT INTO "history" VALUES(9,3,1795165236000,'customer','Борис','сколько стоит доставка','[]','mk13',NULL);
INSERT INTO "history" VALUES(10,3,1795165242000,'bot','','Здравствуйте, Борис!

Доставка стоит 350 рублей.

Это помогло?','[]','',13);
INSERT INTO "history" VALUES(11,3,1795165242000,'customer','Борис','оператор','[]','mk15',NULL);
INSERT INTO "history" VALUES(12,3,1795165248000,'bot','','Борис, зову оператора.
Номер обращения — №2. Вы первый в очереди. Можно дописать подробности сюда.','[]','',14);
INSERT INTO "history" VALUES(13,3,1795165254000,'bot','','Борис, с вами Ольга — сейчас ответит.','[]','',16);
INSERT INTO "history" VALUES(14,3,1795165260000,'operator','Ольга','Добрый день!','[]','',20);
INSERT INTO "history" VALUES(15,3,1795165266000,'bot','','Обращение №2 закрыто, Борис. Если что-то осталось — просто напишите, я снова на связи.','[]','',22);
INSERT INTO "history" VALUES(16,3,1795165632000,'bot','','Как вам помогли по обращению №2 (Ольга)?

Оцените, пожалуйста: 1 — плохо, 5 — отлично.','[]','',27);
INSERT INTO "history" VALUES(17,3,1795165638000,'customer','Борис','5','[]','mk23',NULL);
INSERT INTO "history" VALUES(18,3,1795165644000,'bot','','Спасибо за оценку 5! Если хочется, напишите одним сообщением, что понравилось или чего не хватило.','[]','',30);
CREATE TABLE ideas(
      id integer primary key autoincrement, conversation integer not null references conversations,
      at integer not null, text text not null, joined integer not null default 0,
      status text not null default 'new', reason text not null default '', changed integer) strict;
CREATE TABLE inbox(
      id integer primary key, channel text not null, key text not null,
      conversation integer not null references conversations, kind text not null, at integer not null, received integer not null,
      ready integer not null, limit_at integer not null, message text not null default '', payload text not null,
      turn integer references turns, done_at integer, result text,
      check((done_at is null) = (result is null)), unique(channel, key)) strict;
INSERT INTO "inbox" VALUES(1,'telegram','k2',1,'message',1795165200000,1795165200000,1795165201200,1795165204000,'mk1','{"key":"k2","peer":{"channel":"telegram","chat":"1001"},"sender":{"id":"1001","name":"Анна","language":"ru"},"at":"2026-11-20T09:00:00+00:00","text":"Сколько идёт доставка?","message":"mk1"}',1,1795165206000,'answered');
INSERT INTO "inbox" VALUES(2,'telegram','k4',1,'message',1795165206000,1795165206000,1795165207200,1795165210000,'mk3','{"key":"k4","peer":{"channel":"telegram","chat":"1001"},"sender":{"id":"1001","name":"Анна","language":"ru"},"at":"2026-11-20T09:00:06+00:00","text":"позовите оператора","attachments":[{"media":"photo","ref":"ref1","channel":"telegram","name":"чек.jpg"}],"message":"mk3"}',2,1795165212000,'handed_off');
INSERT INTO "inbox" VALUES(3,'telegram','k6',2,'press',1795165212000,1795165212000,1795165212000,1795165216000,'1004','{"key":"k6","peer":{"channel":"telegram","chat":"-100500","thread":"1003"},"sender":{"id":"9001","name":"Ольга"},"at":"2026-11-20T09:00:12+00:00","kind":"press","message":"1004","press":"3.00","callback":"k5","private":false}',3,1795165218000,'answered');
INSERT INTO "inbox" VALUES(4,'telegram','k8',2,'message',1795165218000,1795165218000,1795165218000,1795165222000,'ok7','{"key":"k8","peer":{"channel":"telegram","chat":"-100500","thread":"1003"},"sender":{"id":"9001","name":"Ольга"},"at":"2026-11-20T09:00:18+00:00","text":"Здравствуйте! Смотрю.","message":"ok7","private":false}',4,1795165224000,'carried');
INSERT INTO "inbox" VALUES(5,'telegram','k10',1,'message',1795165224000,1795165224000,1795165225200,1795165228000,'mk9','{"key":"k10","peer":{"channel":"telegram","chat":"1001"},"sender":{"id":"1001","name":"Анна","language":"ru"},"at":"2026-11-20T09:00:24+00:00","text":"жду","message":"mk9"}',5,1795165230000,'carried');
INSERT INTO "inbox" VALUES(6,'telegram','k12',2,'message',1795165230000,1795165230000,1795165230000,1795165234000,'ok11','{"key":"k12","peer":{"channel":"telegram","chat":"-100500","thread":"1003"},"sender":{"id":"9001","name":"Ольга"},"at":"2026-11-20T09:00:30+00:00","text":"// проверить склад","message":"ok11","private":false}',6,1795165236000,'answered');
INSERT INTO "inbox" VALUES(7,'vk','k14',3,'message',1795165236000,1795165236000,1795165237200,1795165240000,'mk13','{"key":"k14","peer":{"channel":"vk","chat":"77"},"sender":{"id":"77","name":"Борис","language":"ru"},"at":"2026-11-20T09:00:36+00:00","text":"сколько стоит доставка","message":"mk13"}',7,1795165242000,'answered');
INSERT INTO "inbox" VALUES(8,'vk','k16',3,'message',1795165242000,1795165242000,1795165243200,1795165246000,'mk15','{"key":"k16","peer":{"channel":"vk","chat":"77"},"sender":{"id":"77","name":"Борис","language":"ru"},"at":"2026-11-20T09:00:42+00:00","text":"оператор","message":"mk15"}',8,1795165248000,'handed_off');
INSERT INTO "inbox" VALUES(9,'telegram','k18',4,'press',1795165248000,1795165248000,1795165248000,1795165252000,'1015','{"key":"k18","peer":{"channel":"telegram","chat":"-100500","thread":"1014"},"sender":{"id":"9001","name":"Ольга"},"at":"2026-11-20T09:00:48+00:00","kind":"press","message":"1015","press":"f.00","callback":"k17","private":false}',9,1795165254000,'answered');
INSERT INTO "inbox" VALUES(10,'telegram','k20',4,'message',1795165254000,1795165254000,1795165254000,1795165258000,'ok19','{"key":"k20","peer":{"channel":"telegram","chat":"-100500","thread":"1014"},"sender":{"id":"9001","name":"Ольга"},"at":"2026-11-20T09:00:54+00:00","text":"Добрый день!","message":"ok19","private":false}',10,1795165260000,'carried');
INSERT INTO "inbox" VALUES(11,'telegram','k22',4,'message',1795165260000,1795165260000,1795165260000,1795165264000,'ok21','{"key":"k22","peer":{"channel":"telegram","chat":"-100500","thread":"1014"},"sender":{"id":"9001","name":"Ольга"},"at":"2026-11-20T09:01:00+00:00","text":"/close","message":"ok21","private":false}',11,1795165266000,'answered');
INSERT INTO "inbox" VALUES(12,'vk','timer:11',3,'timer',1795165566000,1795165632000,1795165632000,1795165632000,'','{"key":"timer:11","peer":{"channel":"vk","chat":"77"},"sender":{"id":""},"at":"2026-11-20T09:06:06+00:00","kind":"timer","text":"rating","data":{"ticket":2,"closed":"2026-11-20T09:01:06+00:00"}}',12,1795165632000,'answered');
INSERT INTO "inbox" VALUES(13,'vk','k24',3,'message',1795165638000,1795165638000,1795165639200,1795165642000,'mk23','{"key":"k24","peer":{"channel":"vk","chat":"77"},"sender":{"id":"77","name":"Борис","language":"ru"},"at":"2026-11-20T09:07:18+00:00","text":"5","message":"mk23"}',13,1795165644000,'answered');
INSERT INTO "inbox" VALUES(14,'telegram','k26',1,'message',1795165644000,1795165644000,1795165645200,1795165648000,'mk25','{"key":"k26","peer":{"channel":"telegram","chat":"1001"},"sender":{"id":"1001","name":"Анна","language":"ru"},"at":"2026-11-20T09:07:24+00:00","text":"ещё вопрос","message":"mk25"}',NULL,NULL,NULL);
CREATE TABLE incident_met(
      number integer not null, conversation integer not null references conversations,
      primary key(number, conversation)) strict;
CREATE TABLE incidents(
      number integer primary key, text text not null, words text not null default '[]',
      articles text not null default '[]', author text not null default '', since integer,
      over integer not null default 0) strict;
CREATE TABLE operator_chats(
      operator text not null references operators, chat text not null, primary key(operator, chat)) strict;
CREATE TABLE operators(
      id text primary key, name text not null default '', last_name text not null default '',
      username text not null default '', away integer not null default 0, gone integer not null default 0,
      silent integer not null default 0, assigned integer) strict;
INSERT INTO "operators" VALUES('telegram:9001','Ольга','','',0,0,0,NULL);
CREATE TABLE outbox(
      id integer primary key autoincrement, dedupe text unique,
      channel text not null, chat text not null, thread text not null, lane integer not null,
      verb text not null, name text not null default '', edits text not null default '', quotes text not null default '',
      mirrors text not null default '', ticket integer, conversation integer references conversations,
      turn integer references turns, payload text not null, on_doubt text not null check(on_doubt in ('resend', 'hold')),
      status text not null default 'pending' check(status in ('pending', 'sending', 'sent', 'unknown', 'failed', 'cancelled')),
      place integer not null default 0,  -- below 0 = goes before what was promised earlier (a remade topic's history)
      head integer not null default 0,  -- 1 = the oldest open row of its (channel, chat, thread, lane): only it may go
      tries integer not null default 0, doubts integer not null default 0,
      created integer not null, due integer not null, started integer, settled integer,
      message text not null default '', error text not null default '', epoch integer not null default 0, desk integer not null default 0) strict;
INSERT INTO "outbox" VALUES(1,'1:0','telegram','1001','',0,'say','','','','',NULL,1,1,'{"to":{"channel":"telegram","chat":"1001"},"text":{"text":"Здравствуйте, Анна!\n\nДоставка занимает 3–5 дней.\n\nЭто помогло?","spans":[{"style":"italic","offset":50,"length":12}]},"buttons":[[{"label":"Да, помогло","action":"helped","value":"delivery"},{"label":"Нет, не помогло","action":"not_helped","value":"delivery"}],[{"label":"Позвать оператора","action":"human"}]]}','resend','sent',0,0,1,0,1795165206000,1795165206000,1795165206000,1795165206000,'1001','',0,0);
INSERT INTO "outbox" VALUES(2,'2:0','telegram','1001','',0,'say','opened:1','','','',1,1,2,'{"to":{"channel":"telegram","chat":"1001"},"text":{"text":"Анна, зову оператора.\nНомер обращения — №1. Вы первый в очереди. Можно дописать подробности сюда.","spans":[{"style":"bold","offset":40,"length":2}]},"buttons":[[{"label":"Дополнить","action":"add_details","value":"1"},{"label":"Отменить обращение","action":"cancel_ticket","value":"1"}]],"name":"opened:1","ticket":1}','resend','sent',0,0,1,0,1795165212000,1795165212000,1795165212000,1795165212000,'1002','',0,0);
INSERT INTO "outbox" VALUES(3,'2:1','telegram','-100500','ticket:1',0,'say','card:1','','','',1,1,2,'{"to":{"channel":"telegram","chat":"-100500","thread":"ticket:1"},"text":{"text":"🟡 №1 · Анна · telegram\n\nПочему: попросил человека\n\nЖдёт оператора · ответить до 12:30, 20 ноября\n\nТема: Сроки доставки\n\nАнна: Сколько идёт доставка?\nБот: Здравствуйте, Анна! Доставка занимает 3–5 дней. Это помогло?\nАнна: [фото] позовите оператора","spans":[{"style":"bold","offset":2,"length":9},{"style":"bold","offset":120,"length":5},{"style":"bold","offset":149,"length":4},{"style":"bold","offset":215,"length":5}]},"buttons":[[{"label":"Взять","action":"take","value":"1","style":"primary"},{"label":"Вернуть боту","action":"return_to_bot","value":"1"},{"label":"Закрыть","action":"close","value":"1"}],[{"label":"Передать","action":"hand_on","value":"1"},{"label":"Шаблон","action":"template","value":"1"},{"label":"Отложить","action":"put_off","value":"1"}]],"name":"card:1","author":"","ticket":1}','resend','sent',0,0,1,0,1795165212000,1795165212000,1795165212000,1795165212000,'1004','',0,0);
INSERT INTO "outbox" VALUES(4,'2:2','telegram','-100500','ticket:1',0,'say','','','','',1,1,2,'{"to":{"channel":"telegram","chat":"-100500","thread":"ticket:1"},"attachments":[{"media":"photo","ref":"ref1","channel":"telegram","name":"чек.jpg"}],"heading":{"text":"№1 · Анна","spans":[{"style":"bold","offset":0,"length":9}]},"author":"","ticket":1}','resend','sent',0,0,1,0,1795165212000,1795165212000,1795165212000,1795165212000,'1005','',0,0);
INSERT INTO "outbox" VALUES(5,'3:0','telegram','1001','',0,'say','','','','',1,1,3,'{"to":{"channel":"telegram","chat":"1001"},"text":{"text":"Анна, с вами Ольга — сейчас ответит."},"ticket":1}','resend','sent',0,0,1,0,1795165218000,1795165218000,1795165218000,1795165218000,'1006','',0,0);
INSERT INTO "outbox" VALUES(6,'3:1','telegram','-100500','ticket:1',2,'edit','','card:1','','',1,1,3,'{"to":{"channel":"telegram","chat":"-100500","thread":"ticket:1"},"text":{"text":"🟢 №1 · Анна · telegram\n\nПочему: попросил человека\n\nВ работе: Ольга · ответить до 12:30, 20 ноября\n\nТема: Сроки доставки\n\nАнна: Сколько идёт доставка?\nБот: Здравствуйте, Анна! Доставка занимает 3–5 дней. Это помогло?\nАнна: [фото] позовите оператора","spans":[{"style":"bold","offset":2,"length":9},{"style":"bold","offset":121,"length":5},{"style":"bold","offset":150,"length":4},{"style":"bold","offset":216,"length":5}]},"buttons":[[{"label":"Закрыть","action":"close","value":"1","style":"success"},{"label":"Вернуть боту","action":"return_to_bot","value":"1"}],[{"label":"Передать","action":"hand_on","value":"1"},{"label":"Шаблон","action":"template","value":"1"},{"label":"Отложить","action":"put_off","value":"1"}]],"verb":"edit","edits":"card:1","lane":"view","author":"","ticket":1}','resend','sent',0,0,1,0,1795165218000,1795165218000,1795165218000,1795165218000,'1008','',0,0);
INSERT INTO "outbox" VALUES(7,'3:2','telegram','-100500','ticket:1',2,'rename_topic','','','','',1,1,3,'{"to":{"channel":"telegram","chat":"-100500","thread":"ticket:1"},"text":{"text":"🟢 №1 Анна · Сроки доставки"},"verb":"rename_topic","lane":"view","author":"","ticket":1}','resend','sent',0,0,1,0,1795165218000,1795165218000,1795165218000,1795165218000,'1009','',0,0);
INSERT INTO "outbox" VALUES(8,'3:3','telegram','-100500','1003',0,'acknowledge','','','k5','',NULL,1,3,'{"to":{"channel":"telegram","chat":"-100500","thread":"1003"},"text":{"text":"🟢 Обращение взял(а) Ольга."},"verb":"acknowledge","quotes":"k5","author":""}','resend','sent',0,0,1,0,1795165218000,1795165218000,1795165218000,1795165218000,'1007','',0,1);
INSERT INTO "outbox" VALUES(9,'4:0','telegram','1001','',0,'say','telegram:-100500:ok7','','','ok7',1,1,4,'{"to":{"channel":"telegram","chat":"1001"},"text":{"text":"Здравствуйте! Смотрю."},"name":"telegram:-100500:ok7","mirrors":"ok7","author":"operator","author_name":"Ольга","ticket":1,"receipt":{"peer":{"channel":"telegram","chat":"-100500","thread":"1003"},"message":"ok7"}}','resend','sent',0,0,1,0,1795165224000,1795165224000,1795165224000,1795165224000,'1010','',0,0);
INSERT INTO "outbox" VALUES(10,NULL,'telegram','-100500','1003',2,'react','','','ok7','',NULL,1,NULL,'{"to":{"channel":"telegram","chat":"-100500","thread":"1003"},"text":{"text":"👌"},"verb":"react","quotes":"ok7","lane":"view","author":""}','resend','sent',0,0,1,0,1795165224000,1795165224000,1795165224000,1795165224000,'1011','',0,1);
INSERT INTO "outbox" VALUES(11,'5:0','telegram','-100500','ticket:1',0,'say','telegram:1001:mk9','','','mk9',1,1,5,'{"to":{"channel":"telegram","chat":"-100500","thread":"ticket:1"},"text":{"text":"жду"},"name":"telegram:1001:mk9","mirrors":"mk9","heading":{"text":"№1 · Анна","spans":[{"style":"bold","offset":0,"length":9}]},"author":"","ticket":1,"joins":true}','resend','sent',0,0,1,0,1795165230000,1795165230000,1795165230000,1795165230000,'1012','',0,0);
INSERT INTO "outbox" VALUES(12,'6:0','telegram','-100500','1003',2,'react','','','ok11','',NULL,1,6,'{"to":{"channel":"telegram","chat":"-100500","thread":"1003"},"text":{"text":"✍"},"verb":"react","quotes":"ok11","lane":"view","author":""}','resend','sent',0,0,1,0,1795165236000,1795165236000,1795165236000,1795165236000,'1013','',0,1);
INSERT INTO "outbox" VALUES(13,'7:0','vk','77','',0,'say','','','','',NULL,3,7,'{"to":{"channel":"vk","chat":"77"},"text":{"text":"Здравствуйте, Борис!\n\nДоставка стоит 350 рублей.\n\nЭто помогло?","spans":[{"style":"italic","offset":50,"length":12}]},"buttons":[[{"label":"Да, помогло","action":"helped","value":"cost"},{"label":"Нет, не помогло","action":"not_helped","value":"cost"}],[{"label":"Позвать оператора","action":"human"}]]}','resend','sent',0,0,1,0,1795165242000,1795165242000,1795165242000,1795165242000,'1001','',0,0);
INSERT INTO "outbox" VALUES(14,'8:0','vk','77','',0,'say','opened:2','','','',2,3,8,'{"to":{"channel":"vk","chat":"77"},"text":{"text":"Борис, зову оператора.\nНомер обращения — №2. Вы первый в очереди. Можно дописать подробности сюда.","spans":[{"style":"bold","offset":41,"length":2}]},"buttons":[[{"label":"Дополнить","action":"add_details","value":"2"},{"label":"Отменить обращение","action":"cancel_ticket","value":"2"}]],"name":"opened:2","ticket":2}','resend','sent',0,0,1,0,1795165248000,1795165248000,1795165248000,1795165248000,'1002','',0,0);
INSERT INTO "outbox" VALUES(15,'8:1','telegram','-100500','ticket:2',0,'say','card:2','','','',2,3,8,'{"to":{"channel":"telegram","chat":"-100500","thread":"ticket:2"},"text":{"text":"🟡 №2 · Борис · vk\n\nПочему: попросил человека\n\nЖдёт оператора · ответить до 12:30, 20 ноября\n\nТема: Стоимость доставки\n\nБорис: сколько стоит доставка\nБот: Здравствуйте, Борис! Доставка стоит 350 рублей. Это помогло?\nБорис: оператор","spans":[{"style":"bold","offset":2,"length":10},{"style":"bold","offset":119,"length":6},{"style":"bold","offset":149,"length":4},{"style":"bold","offset":215,"length":6}]},"buttons":[[{"label":"Взять","action":"take","value":"2","style":"primary"},{"label":"Вернуть боту","action":"return_to_bot","value":"2"},{"label":"Закрыть","action":"close","value":"2"}],[{"label":"Передать","action":"hand_on","value":"2"},{"label":"Шаблон","action":"template","value":"2"},{"label":"Отложить","action":"put_off","value":"2"}]],"name":"card:2","author":"","ticket":2}','resend','sent',0,0,1,0,1795165248000,1795165248000,1795165248000,1795165248000,'1015','',0,0);
INSERT INTO "outbox" VALUES(16,'9:0','vk','77','',0,'say','','','','',2,3,9,'{"to":{"channel":"vk","chat":"77"},"text":{"text":"Борис, с вами Ольга — сейчас ответит."},"ticket":2}','resend','sent',0,0,1,0,1795165254000,1795165254000,1795165254000,1795165254000,'1003','',0,0);
INSERT INTO "outbox" VALUES(17,'9:1','telegram','-100500','ticket:2',2,'edit','','card:2','','',2,3,9,'{"to":{"channel":"telegram","chat":"-100500","thread":"ticket:2"},"text":{"text":"🟢 №2 · Борис · vk\n\nПочему: попросил человека\n\nВ работе: Ольга · ответить до 12:30, 20 ноября\n\nТема: Стоимость доставки\n\nБорис: сколько стоит доставка\nБот: Здравствуйте, Борис! Доставка стоит 350 рублей. Это помогло?\nБорис: оператор","spans":[{"style":"bold","offset":2,"length":10},{"style":"bold","offset":120,"length":6},{"style":"bold","offset":150,"length":4},{"style":"bold","offset":216,"length":6}]},"buttons":[[{"label":"Закрыть","action":"close","value":"2","style":"success"},{"label":"Вернуть боту","action":"return_to_bot","value":"2"}],[{"label":"Передать","action":"hand_on","value":"2"},{"label":"Шаблон","action":"template","value":"2"},{"label":"Отложить","action":"put_off","value":"2"}]],"verb":"edit","edits":"card:2","lane":"view","author":"","ticket":2}','resend','sent',0,0,1,0,1795165254000,1795165254000,1795165254000,1795165254000,'1017','',0,0);
INSERT INTO "outbox" VALUES(18,'9:2','telegram','-100500','ticket:2',2,'rename_topic','','','','',2,3,9,'{"to":{"channel":"telegram","chat":"-100500","thread":"ticket:2"},"text":{"text":"🟢 №2 Борис · Стоимость доставки"},"verb":"rename_topic","lane":"view","author":"","ticket":2}','resend','sent',0,0,1,0,1795165254000,1795165254000,1795165254000,1795165254000,'1018','',0,0);
INSERT INTO "outbox" VALUES(19,'9:3','telegram','-100500','1014',0,'acknowledge','','','k17','',NULL,3,9,'{"to":{"channel":"telegram","chat":"-100500","thread":"1014"},"text":{"text":"🟢 Обращение взял(а) Ольга."},"verb":"acknowledge","quotes":"k17","author":""}','resend','sent',0,0,1,0,1795165254000,1795165254000,1795165254000,1795165254000,'1016','',0,1);
INSERT INTO "outbox" VALUES(20,'10:0','vk','77','',0,'say','telegram:-100500:ok19','','','ok19',2,3,10,'{"to":{"channel":"vk","chat":"77"},"text":{"text":"Добрый день!"},"name":"telegram:-100500:ok19","mirrors":"ok19","author":"operator","author_name":"Ольга","ticket":2,"receipt":{"peer":{"channel":"telegram","chat":"-100500","thread":"1014"},"message":"ok19"}}','resend','sent',0,0,1,0,1795165260000,1795165260000,1795165260000,1795165260000,'1004','',0,0);
INSERT INTO "outbox" VALUES(21,NULL,'telegram','-100500','1014',2,'react','','','ok19','',NULL,3,NULL,'{"to":{"channel":"telegram","chat":"-100500","thread":"1014"},"text":{"text":"👌"},"verb":"react","quotes":"ok19","lane":"view","author":""}','resend','sent',0,0,1,0,1795165260000,1795165260000,1795165260000,1795165260000,'1019','',0,1);
INSERT INTO "outbox" VALUES(22,'11:0','vk','77','',0,'say','','','','',2,3,11,'{"to":{"channel":"vk","chat":"77"},"text":{"text":"Обращение №2 закрыто, Борис. Если что-то осталось — просто напишите, я снова на связи."},"on_doubt":"hold","ticket":2}','hold','sent',0,0,1,0,1795165266000,1795165266000,1795165266000,1795165266000,'1005','',0,0);
INSERT INTO "outbox" VALUES(23,'11:1','telegram','-100500','ticket:2',2,'edit','','card:2','','',2,3,11,'{"to":{"channel":"telegram","chat":"-100500","thread":"ticket:2"},"text":{"text":"✅ №2 · Борис · vk\n\nПочему: попросил человека\n\nЗакрыто · Ольга\n\nТема: Стоимость доставки\n\nБорис: сколько стоит доставка\nБот: Здравствуйте, Борис! Доставка стоит 350 рублей. Это помогло?\nБорис: оператор","spans":[{"style":"bold","offset":2,"length":10},{"style":"bold","offset":89,"length":6},{"style":"bold","offset":119,"length":4},{"style":"bold","offset":185,"length":6}]},"buttons":[[{"label":"Открыть снова","action":"reopen","value":"2"}]],"verb":"edit","edits":"card:2","lane":"view","author":"","ticket":2}','resend','sent',0,0,1,0,1795165266000,1795165266000,1795165266000,1795165266000,'1021','',0,0);
INSERT INTO "outbox" VALUES(24,'11:2','telegram','-100500','ticket:2',2,'rename_topic','','','','',2,3,11,'{"to":{"channel":"telegram","chat":"-100500","thread":"ticket:2"},"text":{"text":"✅ №2 Борис · Стоимость доставки"},"verb":"rename_topic","lane":"view","author":"","ticket":2}','resend','sent',0,0,1,0,1795165266000,1795165266000,1795165266000,1795165266000,'1022','',0,0);
INSERT INTO "outbox" VALUES(25,'11:3','telegram','-100500','ticket:2',2,'close_topic','','','','',2,3,11,'{"to":{"channel":"telegram","chat":"-100500","thread":"ticket:2"},"verb":"close_topic","lane":"view","author":"","ticket":2}','resend','sent',0,0,1,0,1795165266000,1795165266000,1795165266000,1795165266000,'1023','',0,0);
INSERT INTO "outbox" VALUES(26,'11:4','telegram','-100500','1014',2,'react','','','ok21','',NULL,3,11,'{"to":{"channel":"telegram","chat":"-100500","thread":"1014"},"text":{"text":"👌"},"verb":"react","quotes":"ok21","lane":"view","author":""}','resend','sent',0,0,1,0,1795165266000,1795165266000,1795165266000,1795165266000,'1020','',0,1);
INSERT INTO "outbox" VALUES(27,'12:0','vk','77','',0,'say','','','','',2,3,12,'{"to":{"channel":"vk","chat":"77"},"text":{"text":"Как вам помогли по обращению №2 (Ольга)?\n\nОцените, пожалуйста: 1 — плохо, 5 — отлично."},"buttons":[[{"label":"1","action":"rate","value":"2#1"},{"label":"2","action":"rate","value":"2#2"},{"label":"3","action":"rate","value":"2#3"},{"label":"4","action":"rate","value":"2#4"},{"label":"5","action":"rate","value":"2#5"}]],"on_doubt":"hold","ticket":2}','hold','sent',0,0,1,0,1795165632000,1795165632000,1795165632000,1795165632000,'1006','',0,0);
INSERT INTO "outbox" VALUES(28,NULL,'telegram','-100500','',1,'say','board','','','',NULL,NULL,NULL,'{"to":{"channel":"telegram","chat":"-100500"},"text":{"text":"Очередь\n\nЖдут: 0 · в работе: 1\n\nНа смене: Ольга — 1","spans":[{"style":"bold","offset":0,"length":7}]},"name":"board","lane":"notice","author":"","silent":true}','resend','sent',0,0,1,0,1795165632000,1795165632000,1795165638000,1795165638000,'1024','',0,1);
INSERT INTO "outbox" VALUES(29,NULL,'telegram','-100500','',1,'pin','','board','','',NULL,NULL,NULL,'{"to":{"channel":"telegram","chat":"-100500"},"verb":"pin","edits":"board","lane":"notice","author":"","silent":true}','resend','sent',0,0,1,0,1795165632000,1795165632000,1795165638000,1795165638000,'1025','',0,1);
INSERT INTO "outbox" VALUES(30,'13:0','vk','77','',0,'say','','','','',NULL,3,13,'{"to":{"channel":"vk","chat":"77"},"text":{"text":"Спасибо за оценку 5! Если хочется, напишите одним сообщением, что понравилось или чего не хватило."},"buttons":[[{"label":"Пропустить","action":"rating_skip","value":"2"}]]}','resend','sent',0,0,1,0,1795165644000,1795165644000,1795165644000,1795165644000,'1007','',0,0);
CREATE TABLE purge_later(name text not null, id integer not null, primary key(name, id)) strict;
CREATE TABLE row_cursors(
      name text primary key, upto integer not null, number integer not null default 0) strict;
CREATE TABLE settings(name text primary key, value text not null) strict;
CREATE TABLE tickets(
      number integer primary key, conversation integer not null references conversations,
      channel text not null, chat text not null, thread text not null,
      status text not null check(status in ('waiting', 'operator', 'snoozed', 'closed')),
      reason text not null default '', topic text not null default '', category text not null default '',
      priority integer not null default 0, operator text not null default '', operator_name text not null default '',
      opened integer, taken integer, first_reply integer, closed integer, due integer, rating integer,
      version integer not null default 0, data text not null default '{}', team text not null default '') strict;
INSERT INTO "tickets" VALUES(1,1,'telegram','1001','','operator','asked','Сроки доставки','',0,'telegram:9001','Ольга',1795165212000,1795165218000,1795165224000,NULL,1795172430000,NULL,3,'{"name":"Анна","username":"","channel":"telegram","transcript":[["Анна","Сколько идёт доставка?"],["Бот","Здравствуйте, Анна! Доставка занимает 3–5 дней. Это помогло?"],["Анна","[фото] позовите оператора"]],"candidates":[],"contacts":{},"answered":"2026-11-20T09:00:24+00:00","last_words":{"name":"telegram:-100500:ok7","at":1795165224.0},"asked":"2026-11-20T09:00:30+00:00"}','');
INSERT INTO "tickets" VALUES(2,3,'vk','77','','closed','asked','Стоимость доставки','',0,'telegram:9001','Ольга',1795165248000,1795165254000,1795165260000,1795165266000,NULL,5,4,'{"name":"Борис","username":"","channel":"vk","transcript":[["Борис","сколько стоит доставка"],["Бот","Здравствуйте, Борис! Доставка стоит 350 рублей. Это помогло?"],["Борис","оператор"]],"candidates":[],"contacts":{},"answered":"2026-11-20T09:01:00+00:00","last_words":{"name":"telegram:-100500:ok19","at":1795165260.0}}','');
CREATE TABLE timers(
      id integer primary key autoincrement, key text not null, conversation integer not null references conversations,
      kind text not null, due integer not null, data text not null default '{}', created integer not null,
      fired integer, cancelled integer) strict;
INSERT INTO "timers" VALUES(1,'goal:1:first_reply',1,'desk.goal',1795166562000,'{"goal":"first_reply"}',1795165212000,NULL,1795165224000);
INSERT INTO "timers" VALUES(2,'waiting:1',1,'desk.waiting',1795166112000,'{}',1795165212000,NULL,1795165218000);
INSERT INTO "timers" VALUES(3,'idle:1',1,'desk.idle',1795176018000,'{}',1795165218000,NULL,1795165224000);
INSERT INTO "timers" VALUES(4,'quiet:1',1,'desk.quiet',1795251624000,'{}',1795165224000,NULL,1795165230000);
INSERT INTO "timers" VALUES(5,'goal:1:next_reply',1,'desk.goal',1795170630000,'{"goal":"next_reply"}',1795165230000,NULL,NULL);
INSERT INTO "timers" VALUES(6,'idle:1',1,'desk.idle',1795176030000,'{}',1795165230000,NULL,NULL);
INSERT INTO "timers" VALUES(7,'goal:2:first_reply',3,'desk.goal',1795166598000,'{"goal":"first_reply"}',1795165248000,NULL,1795165260000);
INSERT INTO "timers" VALUES(8,'waiting:2',3,'desk.waiting',1795166148000,'{}',1795165248000,NULL,1795165254000);
INSERT INTO "timers" VALUES(9,'idle:2',3,'desk.idle',1795176054000,'{}',1795165254000,NULL,1795165260000);
INSERT INTO "timers" VALUES(10,'quiet:2',3,'desk.quiet',1795251660000,'{}',1795165260000,NULL,1795165266000);
INSERT INTO "timers" VALUES(11,'rating:2',3,'rating',1795165566000,'{"ticket":2,"closed":"2026-11-20T09:01:06+00:00"}',1795165266000,1795165632000,NULL);
CREATE TABLE topics(
      channel text not null, chat text not null, thread text not null, ticket integer not null,
      primary key(channel, chat, thread), unique(ticket, channel, chat)) strict;
INSERT INTO "topics" VALUES('telegram','-100500','1003',1);
INSERT INTO "topics" VALUES('telegram','-100500','1014',2);
CREATE TABLE turns(
      id integer primary key autoincrement, conversation integer not null references conversations,
      subject integer references conversations, ticket integer, at integer not null, dialog text not null, result text not null,
      reason text not null, text text not null, why text not null, error text not null default '', articles text not null default '') strict;
INSERT INTO "turns" VALUES(1,1,NULL,NULL,1795165206000,'faq','answered','answered','Сколько идёт доставка?','{"raw":"Сколько идёт доставка?","understood":"Сколько идёт доставка?","repairs":[],"language":"ru","lemmas":["сколько","идти","доставка"],"followed":false,"search":"words","known":1.0,"channels":{"letters":{"delivery":1.0,"cost":0.572,"payment":0.016,"return":0.007},"words":{"delivery":0.435,"cost":0.269},"pairs":{"delivery":1.0,"cost":0.294},"meanings":{"delivery":0.438,"cost":0.241},"rapidfuzz":{"delivery":1.0,"cost":0.884,"payment":0.4,"return":0.343},"neighbours":{"delivery":0.777,"cost":0.051}},"candidates":[{"article":"delivery","title":"Сроки доставки","score":0.97,"fused":9.139,"char":1.0,"char2":0.641,"word":0.435,"word2":0.3,"pair":1.0,"meaning":0.438,"meaning2":0.296,"sense":1.0,"bag_char":0.591,"bag_word":0.53,"bag_meaning":0.545,"body_char":0.105,"body_word":0.137,"body_pair":0.07,"body_meaning":0.126,"head":0.777,"fuzz_set":1.0,"fuzz_sort":1.0},{"article":"cost","title":"Стоимость доставки","score":0.0827,"fused":6.677,"char":0.572,"char2":0.421,"word":0.269,"word2":0.217,"pair":0.294,"meaning":0.241,"meaning2":0.197,"sense":0.484,"bag_char":0.441,"bag_word":0.386,"bag_meaning":0.366,"body_char":0.096,"body_word":0.149,"body_pair":0.077,"body_meaning":0.138,"head":0.051,"fuzz_set":0.884,"fuzz_sort":0.744},{"article":"payment","title":"Способы оплаты","score":0.0,"fused":-1.194,"char":0.006,"char2":0.004,"bag_char":0.005,"body_char":0.016,"head":-0.0,"fuzz_set":0.4,"fuzz_sort":0.4},{"article":"return","title":"Возврат товара","score":0.0,"fused":-1.596,"char":0.006,"char2":0.004,"bag_char":0.004,"body_char":0.007,"head":0.0,"fuzz_set":0.343,"fuzz_sort":0.343}],"confidence":0.97,"scope":0.989,"thresholds":{"answer":0.82,"handoff":0.35,"lead":0.45},"options":2,"decision":"answer","sentence":"«Сроки доставки» подходит с вероятностью 97% — не ниже порога 82%, поэтому бот отвечает.","timings":{"ms":5.35}}','','');
INSERT INTO "turns" VALUES(2,1,NULL,1,1795165212000,'desk','handed_off','asked','позовите оператора','{}','','');
INSERT INTO "turns" VALUES(3,2,1,1,1795165218000,'desk','answered','taken','Взять','{}','','');
INSERT INTO "turns" VALUES(4,2,1,1,1795165224000,'desk','carried','operator','Здравствуйте! Смотрю.','{}','','');
INSERT INTO "turns" VALUES(5,1,NULL,1,1795165230000,'relay','carried','carried','жду','{}','','');
INSERT INTO "turns" VALUES(6,2,1,1,1795165236000,'desk','answered','note','// проверить склад','{}','','');
INSERT INTO "turns" VALUES(7,3,NULL,NULL,1795165242000,'faq','answered','answered','сколько стоит доставка','{"raw":"сколько стоит доставка","understood":"сколько стоит доставка","repairs":[],"language":"ru","lemmas":["сколько","стоить","доставка"],"followed":false,"search":"words","known":1.0,"channels":{"letters":{"cost":1.0,"delivery":0.572,"payment":0.017,"return":0.01},"words":{"cost":0.435,"delivery":0.279},"pairs":{"cost":1.0,"delivery":0.294},"meanings":{"cost":0.399,"delivery":0.205},"rapidfuzz":{"cost":1.0,"delivery":0.884,"payment":0.389,"return":0.333},"neighbours":{"cost":0.815,"delivery":0.047}},"candidates":[{"article":"cost","title":"Стоимость доставки","score":0.9871,"fused":10.304,"char":1.0,"char2":0.752,"word":0.435,"word2":0.303,"pair":1.0,"meaning":0.399,"meaning2":0.321,"sense":1.0,"bag_char":0.772,"bag_word":0.573,"bag_meaning":0.6,"body_char":0.197,"body_word":0.333,"body_pair":0.171,"body_meaning":0.241,"head":0.815,"fuzz_set":1.0,"fuzz_sort":1.0},{"article":"delivery","title":"Сроки доставки","score":0.0062,"fused":5.238,"char":0.572,"char2":0.434,"word":0.279,"word2":0.224,"pair":0.294,"meaning":0.205,"meaning2":0.162,"sense":0.484,"bag_char":0.396,"bag_word":0.375,"bag_meaning":0.285,"body_char":0.104,"body_word":0.151,"body_pair":0.077,"body_meaning":0.103,"head":0.047,"fuzz_set":0.884,"fuzz_sort":0.744},{"article":"payment","title":"Способы оплаты","score":0.0,"fused":-1.217,"char":0.008,"char2":0.008,"bag_char":0.01,"body_char":0.017,"head":-0.0,"fuzz_set":0.389,"fuzz_sort":0.389},{"article":"return","title":"Возврат товара","score":0.0,"fused":-1.568,"char":0.009,"char2":0.007,"bag_char":0.007,"body_char":0.01,"head":0.0,"fuzz_set":0.333,"fuzz_sort":0.333}],"confidence":0.9871,"scope":0.9963,"thresholds":{"answer":0.82,"handoff":0.35,"lead":0.45},"options":2,"decision":"answer","sentence":"«Стоимость доставки» подходит с вероятностью 99% — не ниже порога 82%, поэтому бот отвечает.","timings":{"ms":1.73}}','','');
INSERT INTO "turns" VALUES(8,3,NULL,2,1795165248000,'desk','handed_off','asked','оператор','{}','','');
INSERT INTO "turns" VALUES(9,4,3,2,1795165254000,'desk','answered','taken','Взять','{}','','');
INSERT INTO "turns" VALUES(10,4,3,2,1795165260000,'desk','carried','operator','Добрый день!','{}','','');
INSERT INTO "turns" VALUES(11,4,3,2,1795165266000,'desk','answered','closed','/close','{}','','');
INSERT INTO "turns" VALUES(12,3,NULL,NULL,1795165632000,'rating','answered','rating_asked','','{}','','');
INSERT INTO "turns" VALUES(13,3,NULL,2,1795165644000,'rating','answered','rated','5','{}','','');
CREATE TABLE versions(name text primary key, value integer not null) strict;
INSERT INTO "versions" VALUES('desk',0);
CREATE TABLE visitors(
      channel text not null, chat text not null, conversation integer not null references conversations,
      login text not null default '', joined text not null default '', last integer not null default 0,
      upto integer not null default 0, seen integer not null, mailed integer,
      email text not null default '', primary key(channel, chat)) strict;
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX conversations_ready on conversations(ready_at) where ready_at is not null;
CREATE INDEX conversations_customer on conversations(customer) where customer is not null;
CREATE INDEX turns_conversation on turns(conversation, id);
CREATE INDEX turns_subject on turns(subject) where subject is not null;
CREATE INDEX inbox_waiting on inbox(conversation, id, ready, limit_at) where done_at is null;
CREATE TRIGGER inbox_result_once before update of result, done_at on inbox when old.result is not null
      begin select raise(abort, 'an inbound has exactly one result'); end;
CREATE UNIQUE INDEX tickets_open on tickets(conversation) where status <> 'closed';
CREATE INDEX tickets_conversation on tickets(conversation, number);
CREATE INDEX tickets_status on tickets(status, number);
CREATE INDEX tickets_replied on tickets(number) where first_reply is not null;
CREATE INDEX outbox_open on outbox(channel, chat, thread, lane, place, id) where status in ('pending', 'sending');
CREATE INDEX outbox_heads on outbox(channel, lane, due, id) where head = 1 and status = 'pending';
CREATE INDEX outbox_ended on outbox(status) where status in ('unknown', 'failed', 'cancelled');
CREATE INDEX outbox_message on outbox(channel, chat, message) where message <> '';
CREATE INDEX outbox_name on outbox(channel, chat, name) where name <> '';
CREATE INDEX history_conversation on history(conversation, id);
CREATE INDEX history_outbound on history(outbound) where outbound is not null;
CREATE UNIQUE INDEX timers_key on timers(key) where fired is null and cancelled is null;
CREATE INDEX timers_due on timers(due, id) where fired is null and cancelled is null;
CREATE INDEX events_at on events(at);
CREATE INDEX tickets_team on tickets(team, priority) where status = 'waiting';
CREATE INDEX incident_met_conversation on incident_met(conversation);
CREATE INDEX events_rare on events(kind, at) where kind not in ('heard', 'answered', 'clarified', 'not_helped', 'unanswered', 'feedback', 'operator_wrote', 'customer_wrote', 'ticket_opened', 'ticket_taken', 'first_reply', 'ticket_closed', 'rating_asked', 'rated', 'ready_sent', 'ready_edited');
CREATE INDEX turns_ticket on turns(ticket) where ticket is not null;
CREATE INDEX inbox_turn on inbox(turn) where turn is not null;
CREATE INDEX outbox_conversation on outbox(conversation) where conversation is not null;
CREATE INDEX outbox_ticket on outbox(ticket) where ticket is not null;
CREATE INDEX outbox_turn on outbox(turn) where turn is not null;
CREATE INDEX outbox_desk on outbox(id) where ticket is null and desk = 1 and payload <> '{"to":{"channel":"","chat":""}}';
CREATE INDEX events_conversation on events(conversation) where conversation is not null;
CREATE INDEX events_ticket on events(ticket) where ticket is not null;
CREATE INDEX timers_conversation on timers(conversation);
CREATE INDEX history_at on history(at, id);
CREATE INDEX conversations_unattended on conversations(id) where status <> 'bot' and ticket is null;
CREATE INDEX tickets_closed on tickets(status, closed, number);
CREATE INDEX customers_phone on customers(json_extract(fields, '$."phone"'));
CREATE INDEX customers_email on customers(json_extract(fields, '$."email"'));
CREATE INDEX settings_joined on settings(cast(json_extract(value, '$.into') as text)) where name like 'joined:%';
CREATE INDEX customers_erased on customers(id) where erased is not null;
CREATE INDEX file_parts_conversation on file_parts(conversation);
CREATE INDEX ideas_conversation on ideas(conversation);
CREATE INDEX ideas_worded on ideas(id) where text <> '';
CREATE INDEX file_parts_at on file_parts(at) where part = 0;
CREATE INDEX article_versions_article on article_versions(article, id);
CREATE UNIQUE INDEX visitors_login on visitors(channel, login) where login <> '';
CREATE INDEX visitors_conversation on visitors(conversation);
CREATE INDEX visitors_email on visitors(channel, seen) where email <> '';
CREATE INDEX chat_lines_conversation on chat_lines(conversation);
CREATE INDEX chat_lines_at on chat_lines(at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('customers',2);
INSERT INTO "sqlite_sequence" VALUES('conversations',4);
INSERT INTO "sqlite_sequence" VALUES('turns',13);
INSERT INTO "sqlite_sequence" VALUES('outbox',30);
INSERT INTO "sqlite_sequence" VALUES('timers',11);
COMMIT;
