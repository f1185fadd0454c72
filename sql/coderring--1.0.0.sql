/* coderring--1.0.0.sql: every object of the extension, each with its comment */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION coderring" to load this file. \quit

-- Schema generators create schemas before extensions.  One of our name that
-- holds nothing is taken over with owner and grants reset, that is, made anew.
DO $$
BEGIN
	IF '@extschema@' OPERATOR(pg_catalog.=) 'coderring' THEN
		RAISE EXCEPTION 'the functions of extension "coderring" cannot go to a schema "coderring"'
			USING ERRCODE = 'invalid_schema_name',
				  DETAIL = 'That schema is made by the extension, for its tables and views.',
				  HINT = 'Name another schema: CREATE EXTENSION coderring SCHEMA ...';
	END IF;
	IF EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) 'coderring') THEN
		DROP SCHEMA coderring RESTRICT;
	END IF;
EXCEPTION WHEN dependent_objects_still_exist THEN
	RAISE EXCEPTION 'schema "coderring" exists and is not empty'
		USING ERRCODE = 'duplicate_schema',
			  DETAIL = 'The extension keeps its tables in a schema of this name.',
			  HINT = 'Move what the schema holds elsewhere or rename the schema, then run CREATE EXTENSION again.';
END
$$;

CREATE SCHEMA coderring;
COMMENT ON SCHEMA coderring IS 'tables and views of the extension coderring';

--
-- Tables.  Only the extension's C code writes to them: definitions (of rings,
-- grants and lists) as SQL would, what series do past the executor.
--
-- The key is the last column of a ring: an error of COPY shows the first 100
-- bytes of a line, to the client and in the server's log, and what is before the
-- key is longer than that.
CREATE TABLE coderring.ring (
	id uuid NOT NULL PRIMARY KEY,
	incarnation uuid NOT NULL UNIQUE,
	name text COLLATE "C" NOT NULL UNIQUE,
	owner oid NOT NULL,
	owner_name name COLLATE "C" NOT NULL,
	first_cycle bigint NOT NULL,
	base_length integer NOT NULL,
	max_length integer,
	alphabet text COLLATE "C" NOT NULL,
	blocklist text COLLATE "C",
	check_character boolean NOT NULL,
	new_series_cycle bigint NOT NULL DEFAULT 0,
	timeline bigint NOT NULL DEFAULT 0,
	replicated boolean NOT NULL DEFAULT false,
	no_extra text COLLATE "C" CHECK (no_extra IS NULL),
	key bytea NOT NULL,
	-- for rows that are inserted by SQL; the functions of the extension say more
	CHECK (pg_catalog.octet_length(name) BETWEEN 1 AND 63),
	CHECK (pg_catalog.octet_length(key) OPERATOR(pg_catalog.=) 32),
	CHECK (first_cycle OPERATOR(pg_catalog.>=) 0),
	CHECK (new_series_cycle OPERATOR(pg_catalog.>=) 0),
	CHECK (base_length BETWEEN 1 AND 12),
	CHECK (max_length OPERATOR(pg_catalog.>) 0),
	CHECK (pg_catalog.octet_length(alphabet) BETWEEN 2 AND 64),
	CHECK (pg_catalog.octet_length(blocklist) BETWEEN 1 AND 255)
) USING heap;
-- ANALYZE would copy keys to pg_statistic.
ALTER TABLE coderring.ring ALTER COLUMN key SET STATISTICS 0;
COMMENT ON TABLE coderring.ring IS 'definitions of rings; the view coderring.rings shows them';
COMMENT ON COLUMN coderring.ring.id IS 'what the ring is, through reset and rename, on every server; its first four bytes are the objid of its locks in pg_locks';
COMMENT ON COLUMN coderring.ring.incarnation IS 'made by create and by reset; what the series of the ring belong to';
COMMENT ON COLUMN coderring.ring.key IS 'secret key of the order of the codes, 32 bytes';
COMMENT ON COLUMN coderring.ring.owner IS 'role that may change the ring';
COMMENT ON COLUMN coderring.ring.owner_name IS 'name of that role, by which a restored dump and a subscriber find it';
COMMENT ON COLUMN coderring.ring.replicated IS 'arrived by logical replication: its codes are another server''s to hand out, until coderring_recover or coderring_reset';
COMMENT ON COLUMN coderring.ring.new_series_cycle IS 'cycle that a new extra begins in, if that is after first_cycle; see coderring_recover';
COMMENT ON COLUMN coderring.ring.timeline IS 'timeline of the server when the ring was created or reset';

-- A subscriber finds a grant by its key, so that has the role's name: there
-- the role has another OID.
CREATE TABLE coderring.ring_grant (
	ring_id uuid NOT NULL,
	role oid NOT NULL,
	role_name name COLLATE "C" NOT NULL,
	PRIMARY KEY (ring_id, role_name)
) USING heap;
COMMENT ON TABLE coderring.ring_grant IS 'roles that may take codes of a ring; see coderring_grant';
COMMENT ON COLUMN coderring.ring_grant.role IS 'the role, 0 for all roles (public)';
COMMENT ON COLUMN coderring.ring_grant.role_name IS 'name of the role, by which a restored dump and a subscriber find it';

CREATE TABLE coderring.blocklist (
	name text COLLATE "C" NOT NULL PRIMARY KEY,
	builtin boolean NOT NULL,
	owner oid NOT NULL,
	owner_name name COLLATE "C" NOT NULL,
	words text[] COLLATE "C" NOT NULL,
	replicated boolean NOT NULL DEFAULT false,
	CHECK (pg_catalog.octet_length(name) BETWEEN 1 AND 63)
) USING heap;
COMMENT ON TABLE coderring.blocklist IS 'lists of words that codes must not contain; see coderring_define_blocklist';
COMMENT ON COLUMN coderring.blocklist.builtin IS 'made by the extension, and not to be dumped';
COMMENT ON COLUMN coderring.blocklist.owner IS 'role that may change the list';
COMMENT ON COLUMN coderring.blocklist.owner_name IS 'name of that role, by which a restored dump and a subscriber find it';
COMMENT ON COLUMN coderring.blocklist.words IS 'the words; of the list spreadsheet, regular expressions of what it blocks, for people to read';
COMMENT ON COLUMN coderring.blocklist.replicated IS 'arrived by logical replication, and follows the other server until coderring_define_blocklist';

-- Lists of our own making.  A word that holds another one, look-alikes folded,
-- is left out, since the shorter one blocks wherever it occurs.  Words of two characters
-- are anchored: they block the code that is just that.
INSERT INTO coderring.blocklist (name, builtin, owner, owner_name, words) VALUES
('english', true, 0, '', '{
abort,abuse,adolf,ahole,aids,alqaed,anal,anilingus,anus,anuz,arse,aryan,ass,auschwitz,azz,ballbust,ballsac,balsack,
barf,bastard,basterd,bastrd,battyboy,bawbag,bdsm,beaner,behead,bellend,beotch,bestial,beyotch,biatch,bich,bimbo,
binladen,bitch,biteme,^bj$,bjob,blasphem,blojob,blowj,blowme,blwjob,bollix,bollock,bolloks,bollox,bondage,boner,boob,
boong,booty,brothel,btch,bugger,buggr,bukkake,bullsh,bumboy,bumhole,bunghole,buttface,butthead,butthole,butthurt,
buttocks,buttplug,byatch,bytch,caca,cameltoe,cancer,cannibal,chinaman,chinc,chingchong,chink,chlamydia,choad,chode,
clit,clunge,clyt,cnt,cocaine,cock,cokc,cokehead,cokk,cooch,coolie,coon,cooz,crackhead,crap,creampie,creep,cretin,
cripple,crotch,cuck,cuk,cum,cunnilingus,cunt,cvm,cvnt,dachau,dago,dammit,damn,darkie,darky,dck,dead,death,deepthroat,
deth,devil,diaf,diarrhea,diarrhoea,dick,diedie,dik,dildo,dilf,dimwit,dominatrix,doofus,dookie,dork,dothead,douche,
dumb,dunce,dweeb,dyck,dyke,eichmann,ejacul,enema,erecti,erotic,excrem,facist,faecal,faeces,fag,fanny,fap,faqq,fart,
fascis,fatcow,fatpig,fatso,fatty,fck,fecal,feces,feck,felch,fellat,feltch,femdom,fetish,fgt,fisting,fkn,fku,foad,
focker,fook,footjob,foreplay,foreskin,fornicat,freak,frigg,^fu$,fucc,fuck,fuct,fucu,fudgepack,fuehrer,fuhrer,fuk,fuq,
futanari,fux,fvck,fvk,gangbang,gay,genital,genocid,gestapo,gfy,ghey,gimp,gippo,gloryhole,goatse,goddam,goddm,godie,
goebbels,gonorrhea,gook,grope,groping,gspot,gtfo,gypo,gyppo,halfbreed,halfwit,hamas,handjob,hardon,harlot,heeb,heilhi,
hellho,hentai,herpe,heshe,hezbol,himmler,hitler,hitlr,^hj$,hoebag,holocaust,holohoax,homo,honkey,honkie,honky,hoochie,
hooker,horney,horny,hrny,hump,hymen,hymie,hytler,iabb,idiot,idyot,imbecil,incest,injun,intercourse,isis,jackoff,
jailbait,jappo,japs,jerk,jew,jigaboo,jiggaboo,jihad,jism,jiz,junkie,junky,kaffer,kaffir,kafir,kike,kill,kinky,kkk,
klansman,klux,knob,kock,kooch,koon,krap,kraut,kuck,kum,kunt,kyke,kys,labia,ladyboy,lesb,lezb,lezzie,lezzy,libtard,
lickmy,lmfao,lolicon,lolita,loser,lubra,lunatic,lynch,maggot,masoch,masterb,masturb,mengele,methhead,midget,milf,
minge,minging,mofo,molest,mongoloid,moob,mooslim,moron,motherf,mudslim,muffdiver,mulatto,munter,murder,murdr,muthaf,
muzrat,naked,natzi,nazi,necroph,negro,nekkid,nggr,nig,nikka,nikker,nimpho,nipple,niqa,niqq,nitwit,nobhead,nonce,nooky,
nsfw,nude,nudist,nudity,numbnut,numbskull,numpty,nutcase,nutjob,nutsac,nutter,nyga,nygg,nygr,nympho,omfg,onlyfan,
orgas,orgazm,orgy,paedo,paki,pakki,pantie,panty,pecker,pedo,peenis,peepee,penis,peniz,penus,pervert,pervy,phag,
phallic,phallus,phuc,phuk,phuq,phux,piccaninny,pickaninny,pikey,pikie,pillock,pimp,piss,plonker,pogrom,polack,poof,
poontang,poop,porker,porn,pothead,prick,prik,psycho,pubes,pubic,puke,punani,punanny,punany,pusee,pusi,puss,pusy,puzzy,
pvssy,pymp,pyss,queef,queer,quim,qunt,racis,raghead,rahowa,rapd,rape,rapin,rapist,rectum,redneck,redskin,reetard,
retard,retart,rimjob,sadism,sadist,sadomaso,sambo,sandmonk,satan,schizo,schlong,schmo,schmuck,schvart,screwu,screwyou,
scrote,scrotum,seigheil,semen,sex,shag,shart,shat,sheenie,sheeny,shemal,shiksa,shit,shiz,shlong,shmuck,sht,shutup,
shvartz,shylock,shyt,siegheil,sissy,skank,skidmark,skinhead,slag,slanteye,slave,sleaz,slob,slut,slvt,smegma,smut,snot,
sodoff,sodom,spank,spastic,spaz,spearchuck,sperm,spic,spix,splooge,spooge,spunk,squaw,^ss$,stfu,strapon,stripper,stupid,
suck,suicid,suk,sux,swastik,swine,syphil,tadger,taliban,tarbaby,teabag,terroris,testes,testic,thong,thot,threesom,
thug,tit,todger,tohell,torture,tosser,tosspot,totenkopf,towelhead,trannie,tranny,trany,turd,twat,twerp,twot,ugly,
uncletom,upskirt,upyours,urethra,urina,urine,vag,vajay,vajin,vibrator,vomit,voyeur,vulva,waffenss,wank,wench,wetback,
wetdream,whitepower,whitey,whor,wog,wop,wpww,wtf,wuss,xrated,xxx,yid,yiff,zhid,zoophil,zyklon}'),
('international', true, 0, '', '{
abort,abruti,abschaum,abuse,adolf,ahegao,ahole,aids,aihia,alqaed,^am$,amcik,aminak,amk,amq,anal,anani,andskot,anilingus,
anjg,anjing,anus,anuz,anyad,^aq$,arrombad,arsch,arse,arxid,aryan,ass,auschwitz,azz,babac,babi,baise,bajs,baka,bakla,
balija,ballbust,ballsac,balsack,banci,bangang,bangsat,barf,barua,bastad,bastard,basterd,bastrd,basz,batard,battyboy,
bawbag,bayag,bazd,bazmeg,bdsm,beaner,beffen,behead,behench,bellend,bencon,benzona,beotch,bestial,beyotch,bhadwa,
bhangi,bharwa,bhench,bhosd,biaozi,biatch,bich,bilat,bimbo,binladen,bitch,bite,^bj$,bjob,bkl,blasphem,bliksem,bljad,
blojob,blowj,blowme,blwjob,blya,bmeg,bocet,boche,bodoh,boesse,boiol,boji,bokep,boktan,bollera,bollix,bollock,bolloks,
bollox,bolud,bondage,boner,boob,boong,booty,boquet,bosta,bougnoul,branl,brothel,bsdk,btch,bucet,bugger,buggr,bulangiu,
bullsh,bumboy,bumhole,bumsen,bunghole,burat,butoh,buttface,butthead,butthole,butthurt,buttocks,buttplug,buzer,buzi,
byatch,bybi,bydlo,byeongsin,bytch,byth,byungshin,byungsin,cabro,caca,cacca,cacete,cachu,cagad,cagar,caliss,cameltoe,
cancer,cannibal,caoni,capull,carai,carajo,cetnik,chibai,chikan,chikubi,chimba,chinaman,chinc,chinetoq,chinga,
chingchong,chingo,chink,chinpo,chiotte,chlamydia,choad,chod,choot,chupal,chupame,churk,chutiy,chutmar,chutya,cibai,
cibay,cigan,ciota,cipk,cipsko,clit,clunge,clyt,cnm,cnt,cocaine,cock,coglion,cojon,cojud,cokc,cokehead,cokk,coksinel,
collons,cona,concac,concha,conlon,connard,cooch,coolie,coon,cooz,couill,crackhead,crap,creampie,creep,cretin,cripple,
crisse,crotch,csicska,ctm,^cu$,cuck,cuk,cul,cum,cunnilingus,cunt,curak,curva,cuzao,cvm,cvnt,cwel,dachau,dago,dammit,
damn,darkie,darky,daubuoi,dck,dcm,dead,death,debiel,debil,deepthroat,deth,devil,dhjef,diaf,diaosi,diarrhea,diarrhoea,
dick,diedie,dik,dildo,dilf,dimwit,diocan,dioporc,dirsa,ditm,djoful,djt,dkm,dllm,dolboeb,dominatrix,doofus,dookie,
dopice,dork,dothead,douche,dracu,dreck,drek,dritsekk,drkad,droch,drusla,dumb,dunce,dupa,dupek,durak,dweeb,dyck,dyke,
eblan,eichmann,enema,enfoir,entot,erecti,erotic,escrot,excrem,facist,faecal,faeces,faen,fag,fanny,fanskap,fap,faqq,
fart,fascis,fasz,fatcow,fatpig,fatso,fatty,fck,fdp,fecal,feces,feck,feko,felch,fellat,feltch,femdom,fetish,ffwc,fgt,
fick,figge,fikis,fiku,fiotte,fisse,fisting,fitta,fkn,fku,flikker,foad,focker,foda,fode,fodi,fokk,fokof,follar,fook,
footjob,foreplay,foreskin,fornicat,fotre,fotti,fottut,fotz,foutre,freak,frigg,frocio,^fu$,fucc,fuck,fuct,fucu,fudgepack,
fuehrer,fuhrer,fuk,fuq,furcia,furz,futai,futanari,fututi,fux,fvck,fvk,gaand,gaesae,gaesek,gago,gagu,gamies,gamise,
gamoto,gandon,gandu,gangbang,ganlin,gannin,gatba,gatkruip,gavat,gavno,gay,geci,geneuk,genital,genocid,gerizek,gestapo,
gfy,ghey,gilipol,gimp,gippo,gloryhole,goatse,goblok,goddam,goddm,godie,godver,goebbels,gokkun,gonorre,gonorrhea,gook,
gouine,govn,gowno,gquza,grope,groping,gspot,gtfo,guarra,gueule,gvd,gwailo,gweilo,gypo,gyppo,hajzl,hakenkreuz,
halfbreed,halfwit,hamas,hamut,handjob,hanithi,harami,haramj,haramz,hardon,harlot,hayop,hdp,heeb,heilhi,hellho,helvede,
helvet,hentai,herpe,heshe,hezbol,hijra,himmler,hitler,hitlr,hivno,^hj$,hoebag,hoer,hohol,holocaust,holohoax,homo,honkey,
honkie,honky,hoochie,hooker,horney,horny,horunge,hotnot,houtkop,hovno,hrny,hueon,huere,huevon,hugy,huilo,huinya,huj,
hump,huora,hure,huy,hwren,hymen,hymie,hytler,iabb,ibne,idiot,idyot,imbecil,incest,injun,intercourse,isis,jablay,
jackoff,jaevl,jailbait,jaji,jakol,jancok,jappo,japs,javel,javla,javra,jeb,jembut,jende,jerk,jew,jhaat,jhant,jhat,
jianren,jiba,jidan,jigaboo,jiggaboo,jihad,jiral,jism,jiz,jjangk,jjokba,jode,jodid,jonna,jopa,joto,junkie,junky,kacap,
kacke,kaffer,kaffir,kafir,kahba,kahpe,kak,kalling,kaltak,kamina,kamine,kampret,kanacke,kanake,kanina,kanjar,kanjri,
kanker,kantot,kavla,keparat,ketsu,khach,khanki,khara,khawal,khra,khuay,kike,kill,kimak,kinky,kiram,kjerring,kkk,
klansman,kloot,klote,klux,kneppe,knob,kntl,knull,kock,kocsog,kokot,kontol,kooch,koon,koothi,kopele,korosu,koskesh,
kosom,kosum,kotz,krap,kraut,kreten,kretyn,kripl,krueppel,kruppel,ksm,kuay,kuck,kuffar,kuk,kulli,kum,kunda,kunt,kupal,
kurac,kuradi,kurba,kurc,kurv,kurw,kusemek,kusip,kuso,kusum,kut,kyke,kyrpa,kyrv,kys,labagiu,labia,ladyboy,lajn,lanjiao,
lavada,lavda,lawda,lesb,lezb,lezzie,lezzy,libtard,lickmy,lmfao,loda,lolicon,lolita,lonme,lonte,lort,loser,lubra,
ludder,luder,lul,lunatic,lund,lynch,maagi,madarch,magairl,maggot,magjup,malaka,malaki,malparid,mamad,mamaguev,mampar,
mamzer,maniak,manko,manyak,manyuk,maric,masoch,masterb,masturb,matate,mauka,memek,mengele,merda,merde,merdul,methhead,
meuca,midget,mierd,mietje,mignott,milf,minchi,minge,minging,minki,missgeb,mistkerl,miststu,mjinga,mkundu,mlgb,mmk,
moffie,mofo,mogolic,molest,mongoloid,mongool,moob,mooslim,moron,moskal,motherf,mouni,mqundu,mrd,msunu,mudak,mudslim,
muffdiver,muie,muist,mulatto,mulkku,munter,murder,murdr,muschi,muthaf,mutth,muzrat,naaier,nahui,naked,nalga,nasrat,
natzi,nazi,necroph,neeger,neekeri,neger,negrat,negre,negro,nekkid,neuken,neuker,neukt,nggr,nibard,nichon,nig,nikka,
nikker,nikom,nimpho,nipple,niqa,niqq,niquer,niquet,nitwit,nmsl,nobhead,nonce,nooky,nsfw,ntm,nude,nudist,nudity,
numbnut,numbskull,numpty,nussi,nutcase,nutjob,nutsac,nutte,nyeon,nyga,nygg,nygr,nympho,nyoko,oasch,^oc$,omfg,ommala,
onani,onlyfan,oppai,orgas,orgazm,orgy,orosp,orusp,ostia,otario,paedo,paizuri,paki,pakki,pakyu,paneleir,pantat,pantek,
pantie,panty,partouz,paska,^pd$,pecker,pedarsag,peder,pedo,peenis,peepee,peido,pekpek,pelacur,pelotud,pendej,penis,
peniz,penus,pepek,perek,perkele,perker,perse,pervert,pervy,pezeven,phag,phallic,phallus,phuc,phudd,phuk,phuq,phux,
piccaninny,picha,pichul,picka,picovin,picsa,pidar,pidh,pidor,pidr,pidyn,pierd,pija,pik,pillock,pillu,pimmel,pimp,pina,
pinche,pinga,piroc,piscia,pisd,piss,pizd,plonker,poep,poes,pogmo,pogrom,pohui,pokgai,pokpok,polack,polla,pompin,
pondan,poof,poonda,poontang,poop,poponar,porcodi,porker,porn,porra,posrat,pothead,pouffias,pousti,poutan,poutsa,pqp,
prdel,prick,prik,psycho,ptm,pubes,pubic,puke,pukgai,puki,puku,pula,pumbavu,punani,punanny,punany,punci,punda,pundek,
punhet,punyet,pusee,pusi,puss,pusti,pusy,puta,pute,putk,puto,putsa,putsi,puttan,puzzy,pvssy,pydar,pymp,pyss,qahba,
qifsh,qij,queef,queer,quenga,quim,qunt,raand,racis,raev,raghead,rahowa,randi,rapd,rape,rapin,rapist,rectum,redneck,
redskin,reetard,retard,retart,retrasad,ribanc,ricchion,rimjob,roevhal,roevhul,rohadt,rovhal,rovhul,rukker,runka,runkk,
saatana,sadism,sadist,sadomaso,saekki,salaud,salop,sambo,sandmonk,satan,saujud,^sb$,sborr,schais,scheis,schijt,schizo,
schlampe,schlong,schmo,schmuck,schvart,schwanz,schwein,schwuchtel,schwul,scopami,screwu,screwyou,scrote,scrotum,segg,
seigheil,sekki,semen,senzuri,serefsiz,setan,sex,sfebe,sgualdr,shabi,shag,sharmoot,sharmot,sharmout,sharmut,shart,shat,
sheenie,sheeny,sheiss,shemal,shenzi,shibal,shiksa,shit,shiz,shkije,shlong,shluh,shlyuh,shmuck,shoga,sht,shutup,
shvartz,shylock,shyt,sibal,siegheil,sikec,sikey,sikik,sikim,sikis,sikna,siktir,siptar,siriric,sissy,sjit,skank,skata,
skidmark,skinhead,skit,sktr,slag,slampa,slanteye,slave,sleaz,slet,slob,slut,slvt,smegma,smut,snot,sodoff,sodom,
soutpiel,spank,spast,spaz,spearchuck,sperm,spic,spix,splooge,spooge,spunk,squaw,srac,sran,^ss$,ssbal,ssipal,ssival,stfu,
strapon,stripper,stront,stronz,stupid,stupr,subin,subnormal,suce,suck,sudac,suicid,suk,sundal,sux,svarting,svartsk,
svin,swastik,swine,syphil,szajha,szar,szmat,szop,tabarnac,tabarnak,tachat,tadger,tafiole,tahat,taliban,tamade,tangina,
tapette,tarantad,tarbaby,tarlouz,tasak,teabag,tecavuz,teef,teringl,terron,terroris,tesao,testes,testic,teta,tetek,
teub,thevdi,thevidi,thong,thot,threesom,thug,tigan,tissi,tit,tizak,tlqkf,tmd,tmkc,tngina,todger,tohell,toket,tokhes,
tolol,torture,tosser,tosspot,totenkopf,towelhead,trannie,tranny,trany,travec,travelo,travest,troia,trottel,trouduc,
tschusch,ttong,tuches,turd,tussa,twat,twerp,twll,twot,tyfus,ublyud,ugly,ulol,uncletom,unko,untermen,upskirt,upyours,
urethra,urina,urine,ustas,vadia,vaffa,vag,vajay,vajin,vcl,verdomm,verga,verreck,viadao,viadinh,vibrator,violeur,vittu,
vitun,vitut,^vl$,voegeln,voetsek,vomit,votz,voyeur,vrga,vsf,vtnc,vulva,vysrat,waffenss,wangba,wank,wench,weon,wetback,
wetdream,whitepower,whitey,whor,wichs,wijf,wixe,wixxer,wocao,wog,wop,wpww,wtf,wuss,xana,xota,xoxot,xrated,xui,xuj,xuy,
xxx,yarak,yariman,yarrak,yavsak,yawa,yeban,yebat,yedm,yetmae,yid,yiff,yoban,yobt,youpin,youtre,zalup,zebb,zebi,zhid,
zhina,zhopa,zigeun,zingar,zob,zoccol,zoophil,zopa,zorra,zyklon}');

-- What src/core/spreadsheet.c knows: as regular expressions, of whole codes and without
-- regard to case, which are only for people to read, and for queries of theirs.
INSERT INTO coderring.blocklist (name, builtin, owner, owner_name, words)
	SELECT 'spreadsheet', true, 0, '', ARRAY[
		'^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)e[-+]?[0-9]+$',
		'^' || month || '[-/. ]*[0-9]{1,4}$',
		'^[0-9]{1,4}[-/. ]*' || month || '([-/. ]*[0-9]{1,4})?$',
		'^(0?[0-9]|1[0-2]) ?[ap]m$',
		'^(null|none|#?n/?a|[-+]?(nan|inf|infinity)|true|false)$']
	FROM (VALUES ('(jan(u(a(ry?)?)?)?|feb(r(u(a(ry?)?)?)?)?|mar(ch?)?|apr(il?)?|may|june?|july?|aug(u(st?)?)?|'
		'sep(t(e(m(b(er?)?)?)?)?)?|oct(o(b(er?)?)?)?|nov(e(m(b(er?)?)?)?)?|dec(e(m(b(er?)?)?)?)?)')) AS m (month);

-- The two tables below are never replicated logically: their rows are written
-- in place, which is not decoded, so that deletions must not be either.
-- Nor do they have a primary key, or a unique index over columns that are NOT
-- NULL: see the head of src/store/series.c.
CREATE TABLE coderring.series_state (
	incarnation uuid,
	reserved_to bigint,
	counted_to bigint,
	unblocked bigint,
	filter bigint,
	timeline bigint,
	pace bigint,
	measured_from bigint,
	measured_at timestamptz,
	reserved_at timestamptz,
	extra text COLLATE "C",
	CONSTRAINT series_state_not_null CHECK (incarnation IS NOT NULL AND reserved_to IS NOT NULL
		AND counted_to IS NOT NULL AND unblocked IS NOT NULL AND filter IS NOT NULL
		AND timeline IS NOT NULL AND pace IS NOT NULL AND measured_from IS NOT NULL AND measured_at IS NOT NULL
		AND reserved_at IS NOT NULL AND extra IS NOT NULL),
	CHECK (reserved_to OPERATOR(pg_catalog.>=) 0 AND counted_to OPERATOR(pg_catalog.>=) 0
		AND unblocked OPERATOR(pg_catalog.>=) 0 AND pace OPERATOR(pg_catalog.>=) 0),
	CHECK (pg_catalog.octet_length(extra) OPERATOR(pg_catalog.<=) 63)
) USING heap;
CREATE UNIQUE INDEX series_state_key ON coderring.series_state (incarnation, extra);
ALTER TABLE coderring.series_state ALTER COLUMN extra SET STORAGE PLAIN;
ALTER TABLE coderring.series_state REPLICA IDENTITY NOTHING;
COMMENT ON TABLE coderring.series_state IS 'how far each series has come; written in place, outside of transactions';
COMMENT ON COLUMN coderring.series_state.reserved_to IS 'first position that is not reserved';
COMMENT ON COLUMN coderring.series_state.counted_to IS 'position where the last reservation began';
COMMENT ON COLUMN coderring.series_state.unblocked IS 'codes of that cycle before counted_to, blocked ones not counted';
COMMENT ON COLUMN coderring.series_state.filter IS 'identity of the words that the codes were filtered with, 0 for none, -1 if they have changed';
COMMENT ON COLUMN coderring.series_state.timeline IS 'timeline of the server when the series last reserved; on another one it passes over what a failover may have lost';
COMMENT ON COLUMN coderring.series_state.pace IS 'how many positions the series hands out in half a second';
COMMENT ON COLUMN coderring.series_state.measured_from IS 'position from which that is measured at present';
COMMENT ON COLUMN coderring.series_state.measured_at IS 'when the series was there';
COMMENT ON COLUMN coderring.series_state.reserved_at IS 'when it last reserved; in a row with incarnation 0, how long a timeline that is over went on at least';

CREATE TABLE coderring.skipped_positions (
	incarnation uuid,
	last_position bigint,
	first_position bigint,
	extra text COLLATE "C",
	CONSTRAINT skipped_positions_not_null CHECK (incarnation IS NOT NULL AND last_position IS NOT NULL
		AND first_position IS NOT NULL AND extra IS NOT NULL),
	-- one behind last_position in a row that says nothing yet
	CHECK (first_position OPERATOR(pg_catalog.>=) 0
		AND first_position OPERATOR(pg_catalog.-) 1 OPERATOR(pg_catalog.<=) last_position),
	CHECK (last_position OPERATOR(pg_catalog.<) 9223372036854775807),
	CHECK (pg_catalog.octet_length(extra) OPERATOR(pg_catalog.<=) 63)
) USING heap;
CREATE UNIQUE INDEX skipped_positions_key ON coderring.skipped_positions (incarnation, extra, last_position);
ALTER TABLE coderring.skipped_positions ALTER COLUMN extra SET STORAGE PLAIN;
ALTER TABLE coderring.skipped_positions REPLICA IDENTITY NOTHING;
COMMENT ON TABLE coderring.skipped_positions IS 'positions that a series never hands out: cycles whose prefix is another series'' or blocked, and what a bump left over';

-- Never checked, since no_extra is NULL.  By these pg_dump knows that a ring is
-- to be restored after all that tells how far its series have come: whoever
-- took a code in between would begin at the first one.
ALTER TABLE coderring.ring
	ADD FOREIGN KEY (incarnation, no_extra) REFERENCES coderring.series_state (incarnation, extra),
	ADD FOREIGN KEY (incarnation, no_extra, first_cycle)
		REFERENCES coderring.skipped_positions (incarnation, extra, last_position);
COMMENT ON COLUMN coderring.ring.no_extra IS 'always NULL; its foreign keys have dumps restore series first';

-- A crash empties unlogged tables, and codes would come again.  PostgreSQL does
-- not make a table unlogged that a logged one refers to: those above are safe.
CREATE TABLE coderring.guard (
	ring uuid REFERENCES coderring.ring (id),
	granted_ring uuid,
	role_name name COLLATE "C",
	list text COLLATE "C" REFERENCES coderring.blocklist (name),
	CONSTRAINT always_empty CHECK (false),
	FOREIGN KEY (granted_ring, role_name) REFERENCES coderring.ring_grant (ring_id, role_name)
) USING heap;
COMMENT ON TABLE coderring.guard IS 'always empty; its foreign keys keep the other tables from being made UNLOGGED';

SELECT pg_catalog.pg_extension_config_dump('coderring.ring', '');
SELECT pg_catalog.pg_extension_config_dump('coderring.ring_grant', '');
SELECT pg_catalog.pg_extension_config_dump('coderring.blocklist', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('coderring.series_state',
	'WHERE incarnation IN (SELECT incarnation FROM coderring.ring)');
SELECT pg_catalog.pg_extension_config_dump('coderring.skipped_positions',
	'WHERE incarnation IN (SELECT incarnation FROM coderring.ring)');

-- Keys are nobody's business: take away what ALTER DEFAULT PRIVILEGES may have
-- given to others.
DO $$
DECLARE
	object record;
BEGIN
	FOR object IN
		SELECT 'TABLE' AS kind, pg_catalog.format('coderring.%I', c.relname) AS name, a.grantee
		FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
		WHERE c.relnamespace OPERATOR(pg_catalog.=) 'coderring'::pg_catalog.regnamespace
			AND c.relkind OPERATOR(pg_catalog.=) 'r'
			AND a.grantee OPERATOR(pg_catalog.<>) c.relowner
		UNION
		SELECT 'SCHEMA', 'coderring', a.grantee
		FROM pg_catalog.pg_namespace n, pg_catalog.aclexplode(n.nspacl) a
		WHERE n.nspname OPERATOR(pg_catalog.=) 'coderring' AND a.grantee OPERATOR(pg_catalog.<>) n.nspowner
	LOOP
		EXECUTE pg_catalog.format('REVOKE ALL ON %s %s FROM %s', object.kind, object.name,
			CASE WHEN object.grantee OPERATOR(pg_catalog.=) 0 THEN 'PUBLIC'
				ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(object.grantee)) END);
	END LOOP;
END
$$;
GRANT USAGE ON SCHEMA coderring TO PUBLIC;
GRANT SELECT ON coderring.blocklist TO PUBLIC;

-- A dump fails as a whole on one table that it cannot read, and a restore that
-- cannot write them goes on without the rings.  So whoever has run CREATE
-- EXTENSION, and will dump and restore the database, may do both.  Whoever owns
-- the database dumps it, too: where a superuser has run CREATE EXTENSION, the
-- owner may read.
DO $$
DECLARE
	owner name := (SELECT pg_catalog.pg_get_userbyid(extowner) FROM pg_catalog.pg_extension
				   WHERE extname OPERATOR(pg_catalog.=) 'coderring');
BEGIN
	EXECUTE pg_catalog.format('GRANT SELECT, INSERT ON coderring.ring, coderring.ring_grant,
		coderring.blocklist, coderring.series_state, coderring.skipped_positions TO %I', owner);
END
$$;
GRANT SELECT ON coderring.ring, coderring.ring_grant, coderring.series_state, coderring.skipped_positions
	TO pg_database_owner;

--
-- Triggers that keep the tables true
--
CREATE FUNCTION coderring.admit_row() RETURNS trigger
	AS 'MODULE_PATHNAME', 'coderring_admit_row' LANGUAGE C;
COMMENT ON FUNCTION coderring.admit_row() IS
	'finds owners and grantees by name when a dump is restored; marks rings that logical replication brings, and leaves out what is there already; refuses what would make codes come twice';
REVOKE ALL ON FUNCTION coderring.admit_row() FROM PUBLIC;

CREATE FUNCTION coderring.definitions_changed() RETURNS trigger
	AS 'MODULE_PATHNAME', 'coderring_definitions_changed' LANGUAGE C;
COMMENT ON FUNCTION coderring.definitions_changed() IS 'makes every session read the definitions again';
REVOKE ALL ON FUNCTION coderring.definitions_changed() FROM PUBLIC;

CREATE FUNCTION coderring.refuse_change() RETURNS trigger
	AS 'MODULE_PATHNAME', 'coderring_refuse_change' LANGUAGE C;
COMMENT ON FUNCTION coderring.refuse_change() IS 'refuses changes by SQL of what only the extension''s functions may change';
REVOKE ALL ON FUNCTION coderring.refuse_change() FROM PUBLIC;

CREATE TRIGGER admit_row BEFORE INSERT OR UPDATE OR DELETE ON coderring.ring
	FOR EACH ROW EXECUTE FUNCTION coderring.admit_row();
CREATE TRIGGER definitions_changed AFTER INSERT OR UPDATE OR DELETE ON coderring.ring
	FOR EACH ROW EXECUTE FUNCTION coderring.definitions_changed();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON coderring.ring
	FOR EACH STATEMENT EXECUTE FUNCTION coderring.refuse_change();
ALTER TABLE coderring.ring ENABLE ALWAYS TRIGGER admit_row;
ALTER TABLE coderring.ring ENABLE ALWAYS TRIGGER definitions_changed;
ALTER TABLE coderring.ring ENABLE ALWAYS TRIGGER refuse_truncate;

CREATE TRIGGER admit_row BEFORE INSERT OR UPDATE OR DELETE ON coderring.ring_grant
	FOR EACH ROW EXECUTE FUNCTION coderring.admit_row();
CREATE TRIGGER definitions_changed AFTER INSERT OR UPDATE OR DELETE ON coderring.ring_grant
	FOR EACH ROW EXECUTE FUNCTION coderring.definitions_changed();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON coderring.ring_grant
	FOR EACH STATEMENT EXECUTE FUNCTION coderring.refuse_change();
ALTER TABLE coderring.ring_grant ENABLE ALWAYS TRIGGER admit_row;
ALTER TABLE coderring.ring_grant ENABLE ALWAYS TRIGGER definitions_changed;
ALTER TABLE coderring.ring_grant ENABLE ALWAYS TRIGGER refuse_truncate;

CREATE TRIGGER admit_row BEFORE INSERT OR UPDATE OR DELETE ON coderring.blocklist
	FOR EACH ROW EXECUTE FUNCTION coderring.admit_row();
CREATE TRIGGER definitions_changed AFTER INSERT OR UPDATE OR DELETE ON coderring.blocklist
	FOR EACH ROW EXECUTE FUNCTION coderring.definitions_changed();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON coderring.blocklist
	FOR EACH STATEMENT EXECUTE FUNCTION coderring.refuse_change();
ALTER TABLE coderring.blocklist ENABLE ALWAYS TRIGGER admit_row;
ALTER TABLE coderring.blocklist ENABLE ALWAYS TRIGGER definitions_changed;
ALTER TABLE coderring.blocklist ENABLE ALWAYS TRIGGER refuse_truncate;

CREATE TRIGGER admit_row BEFORE INSERT ON coderring.series_state
	FOR EACH ROW EXECUTE FUNCTION coderring.admit_row();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON coderring.series_state
	FOR EACH ROW EXECUTE FUNCTION coderring.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON coderring.series_state
	FOR EACH STATEMENT EXECUTE FUNCTION coderring.refuse_change();
ALTER TABLE coderring.series_state ENABLE ALWAYS TRIGGER admit_row;
ALTER TABLE coderring.series_state ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE coderring.series_state ENABLE ALWAYS TRIGGER refuse_truncate;

CREATE TRIGGER admit_row BEFORE INSERT ON coderring.skipped_positions
	FOR EACH ROW EXECUTE FUNCTION coderring.admit_row();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON coderring.skipped_positions
	FOR EACH ROW EXECUTE FUNCTION coderring.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON coderring.skipped_positions
	FOR EACH STATEMENT EXECUTE FUNCTION coderring.refuse_change();
ALTER TABLE coderring.skipped_positions ENABLE ALWAYS TRIGGER admit_row;
ALTER TABLE coderring.skipped_positions ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE coderring.skipped_positions ENABLE ALWAYS TRIGGER refuse_truncate;

--
-- Functions
--
CREATE FUNCTION coderring_create(name text, base_length integer DEFAULT 4, blocklist text DEFAULT NULL,
		alphabet text DEFAULT NULL, check_character boolean DEFAULT false, max_length integer DEFAULT NULL,
		first_cycle bigint DEFAULT 0, if_not_exists boolean DEFAULT false)
	RETURNS void AS 'MODULE_PATHNAME', 'coderring_create' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_create(text, integer, text, text, boolean, integer, bigint, boolean) IS
	'create a ring: base_length characters (1 to 12) of an alphabet (its name, or 2 to 64 characters) a code; EXECUTE is not PUBLIC''s';

CREATE FUNCTION coderring_drop(name text, if_exists boolean DEFAULT false)
	RETURNS void AS 'MODULE_PATHNAME', 'coderring_drop' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_drop(text, boolean) IS 'drop a ring';

CREATE FUNCTION coderring_rename(name text, new_name text)
	RETURNS void AS 'MODULE_PATHNAME', 'coderring_rename' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_rename(text, text) IS 'rename a ring; its codes go on';

CREATE FUNCTION coderring_reset(name text, first_cycle bigint DEFAULT 0, test_seed text DEFAULT NULL)
	RETURNS void AS 'MODULE_PATHNAME', 'coderring_reset' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_reset(text, bigint, text) IS
	'forget all series of a ring and give it a new key; the same codes come again unless first_cycle makes them longer';

CREATE FUNCTION coderring_get_code(name text, extra text DEFAULT '', bump boolean DEFAULT false)
	RETURNS text AS 'MODULE_PATHNAME', 'coderring_get_code' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_get_code(text, text, boolean) IS 'a new code of a ring; bump begins the next cycle first';

CREATE FUNCTION coderring_get_codes(name text, count bigint, extra text DEFAULT '')
	RETURNS SETOF text AS 'MODULE_PATHNAME', 'coderring_get_codes' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1000;
COMMENT ON FUNCTION coderring_get_codes(text, bigint, text) IS 'so many new codes of a ring';

CREATE FUNCTION coderring_advance(name text, extra text DEFAULT '', to_cycle bigint DEFAULT NULL, to_offset bigint DEFAULT 0)
	RETURNS void AS 'MODULE_PATHNAME', 'coderring_advance' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_advance(text, text, bigint, bigint) IS
	'move a series forward, by default to its next cycle; not undone by ROLLBACK';

CREATE FUNCTION coderring_recover(name text DEFAULT NULL, cycles integer DEFAULT 1, codes bigint DEFAULT 100000,
		new_extras boolean DEFAULT true)
	RETURNS integer AS 'MODULE_PATHNAME', 'coderring_recover' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_recover(text, integer, bigint, boolean) IS
	'move all series of a ring, or of all rings, past what may have been handed out elsewhere; the number of rings';

CREATE FUNCTION coderring_start_rings()
	RETURNS integer AS 'MODULE_PATHNAME', 'coderring_start_rings' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_start_rings() IS 'load every ring into shared memory; the number of rings';

CREATE FUNCTION coderring_decode(name text, code text, OUT extra text, OUT uniquizer text, OUT base text,
		OUT cycle bigint, OUT cycle_offset bigint, OUT issued boolean)
	AS 'MODULE_PATHNAME', 'coderring_decode' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION coderring_decode(text, text) IS 'what a code of a ring is made of, and whether it was handed out';

CREATE FUNCTION coderring_issued(name text, code text)
	RETURNS boolean AS 'MODULE_PATHNAME', 'coderring_issued' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION coderring_issued(text, text) IS 'was this code ever handed out by the ring?';

CREATE FUNCTION coderring_normalize(name text, input text)
	RETURNS text AS 'MODULE_PATHNAME', 'coderring_normalize' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION coderring_normalize(text, text) IS
	'the code of a ring that somebody has typed in lower case, with spaces, dashes or quotes, or with look-alikes; NULL if there is none';

CREATE FUNCTION coderring_is_valid(alphabet text, code text)
	RETURNS boolean AS 'MODULE_PATHNAME', 'coderring_is_valid' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION coderring_is_valid(text, text) IS
	'is the last character of a code of an alphabet (its name, or its characters) the check character of the others?';

CREATE FUNCTION coderring_alphabet(name text)
	RETURNS text AS 'MODULE_PATHNAME', 'coderring_alphabet' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION coderring_alphabet(text) IS
	'a usual alphabet by its name: default, alphanumeric, base58, base64url, crockford, digits, hex, lower, nolookalikes, rfc4648, safe, upper';

CREATE FUNCTION coderring_define_blocklist(list text, words text[])
	RETURNS void AS 'MODULE_PATHNAME', 'coderring_define_blocklist' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_define_blocklist(text, text[]) IS
	'define or replace a list of words that codes must not contain; NULL drops it';

CREATE FUNCTION coderring_set_blocklist(name text, blocklist text)
	RETURNS void AS 'MODULE_PATHNAME', 'coderring_set_blocklist' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_set_blocklist(text, text) IS 'filter the codes of a ring to come with a list of words, or with none (NULL)';

CREATE FUNCTION coderring_import(codes text DEFAULT 'codes', memos text DEFAULT 'code_memos', first_cycle bigint DEFAULT NULL)
	RETURNS integer AS 'MODULE_PATHNAME', 'coderring_import' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_import(text, text, bigint) IS
	'create the rings of the Elixir library CoderRing from its tables; the number of rings';

CREATE FUNCTION coderring_grant(name text, role name)
	RETURNS void AS 'MODULE_PATHNAME', 'coderring_grant' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_grant(text, name) IS 'let a role, or public, take codes of a ring';

CREATE FUNCTION coderring_revoke(name text, role name)
	RETURNS void AS 'MODULE_PATHNAME', 'coderring_revoke' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_revoke(text, name) IS 'take back what coderring_grant gave';

CREATE FUNCTION coderring_change_owner(name text, new_owner name)
	RETURNS void AS 'MODULE_PATHNAME', 'coderring_change_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_change_owner(text, name) IS 'give a ring to another role';

-- Whoever may call these makes names, lists and rows in the database: not for
-- PUBLIC, behind an API that would be everybody, and not for whom ALTER DEFAULT
-- PRIVILEGES may have given them to.  Whoever has run CREATE EXTENSION has them,
-- and can hand them on.
DO $$
DECLARE
	owner name := (SELECT pg_catalog.pg_get_userbyid(extowner) FROM pg_catalog.pg_extension
				   WHERE extname OPERATOR(pg_catalog.=) 'coderring');
	made record;
	given oid;
BEGIN
	FOR made IN
		SELECT p.oid::pg_catalog.regprocedure AS function, p.proowner,
			COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner)) AS acl
		FROM pg_catalog.pg_proc p
			JOIN pg_catalog.pg_depend d ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
				AND d.objid OPERATOR(pg_catalog.=) p.oid AND d.deptype OPERATOR(pg_catalog.=) 'e'
			JOIN pg_catalog.pg_extension e ON e.oid OPERATOR(pg_catalog.=) d.refobjid
		WHERE e.extname OPERATOR(pg_catalog.=) 'coderring'
			AND p.proname OPERATOR(pg_catalog.=) ANY
				('{coderring_create,coderring_define_blocklist,coderring_import}'::pg_catalog.name[])
	LOOP
		FOR given IN
			SELECT a.grantee FROM pg_catalog.aclexplode(made.acl) a
			WHERE a.grantee OPERATOR(pg_catalog.<>) made.proowner
		LOOP
			EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %s FROM %s', made.function,
				CASE WHEN given OPERATOR(pg_catalog.=) 0 THEN 'PUBLIC'
					ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(given)) END);
		END LOOP;
		EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO %I WITH GRANT OPTION', made.function, owner);
	END LOOP;
END
$$;

CREATE FUNCTION coderring.check_version() RETURNS void
	AS 'MODULE_PATHNAME', 'coderring_check_version' LANGUAGE C STABLE PARALLEL SAFE STRICT;
COMMENT ON FUNCTION coderring.check_version() IS 'raises an error if the library cannot serve the extension''s version';

CREATE FUNCTION coderring.list_rings(OUT name text, OUT owner name, OUT base_length integer, OUT alphabet text,
		OUT blocklist text, OUT check_character boolean, OUT max_length integer, OUT first_cycle bigint, OUT grantees name[])
	RETURNS SETOF record AS 'MODULE_PATHNAME', 'coderring_list_rings' LANGUAGE C VOLATILE PARALLEL UNSAFE STRICT ROWS 10;
COMMENT ON FUNCTION coderring.list_rings() IS 'rows of the view coderring.rings';

CREATE FUNCTION coderring.list_series(OUT ring text, OUT extra text, OUT cycle bigint, OUT uniquizer text,
		OUT cycle_offset bigint, OUT reserved_to bigint, OUT codes_per_cycle bigint, OUT remaining bigint,
		OUT percent numeric, OUT code_length integer, OUT codes_until_longer bigint)
	RETURNS SETOF record AS 'MODULE_PATHNAME', 'coderring_list_series' LANGUAGE C VOLATILE PARALLEL UNSAFE STRICT ROWS 100;
COMMENT ON FUNCTION coderring.list_series() IS 'rows of the view coderring.series';

CREATE FUNCTION coderring.list_stats(OUT ring text, OUT extra text, OUT issued bigint, OUT skipped bigint,
		OUT refills bigint, OUT refill_waits bigint, OUT refill_time double precision, OUT since timestamptz)
	RETURNS SETOF record AS 'MODULE_PATHNAME', 'coderring_list_stats' LANGUAGE C VOLATILE PARALLEL UNSAFE STRICT ROWS 100;
COMMENT ON FUNCTION coderring.list_stats() IS 'rows of the view coderring.stats';

--
-- Views
--
CREATE VIEW coderring.rings AS SELECT * FROM coderring.list_rings();
COMMENT ON VIEW coderring.rings IS 'a row for each ring that the user may use';
GRANT SELECT ON coderring.rings TO PUBLIC;

CREATE VIEW coderring.series AS SELECT * FROM coderring.list_series();
COMMENT ON VIEW coderring.series IS 'how far each series of those rings has come';
COMMENT ON COLUMN coderring.series.cycle_offset IS 'positions of the cycle that are passed, blocked ones included; all of them where nothing remains';
COMMENT ON COLUMN coderring.series.codes_until_longer IS 'codes before the first longer one, or before the end of the series, whichever comes first';
GRANT SELECT ON coderring.series TO PUBLIC;

CREATE VIEW coderring.stats AS SELECT * FROM coderring.list_stats();
COMMENT ON VIEW coderring.stats IS 'what each series has done since the server started, refill_time in milliseconds';
GRANT SELECT ON coderring.stats TO PUBLIC;
