//! Shows for children and families, exhibitions, festivals, sport and circus.

use super::show::{Sale, Show, Taken, at, grade};
use crate::poster::{self as colours, Design, Face, Scene};

pub(super) const SHOWS: &[Show] = &[
    Show {
        title: "구름빵 공장의 비밀",
        place: "서울 어린이대공원 꿈동산극장",
        starts: at(6, 11, 0),
        sale: Sale::OpenSince { days: 24 },
        taken: Taken::Some(40),
        max_per_user: 6,
        grades: &[grade("R석", 44_000, 240), grade("S석", 33_000, 200)],
        story: "하늘에 둥둥 떠 있는 빵 공장에서 구름 반죽이 사라졌다! 꼬마 제빵사 콩이와 \
                함께 단서를 찾아 노래하고 춤추는 참여형 가족 뮤지컬이다. 무대에서 진짜 거품 \
                구름이 쏟아지고, 공연이 끝나면 모두 제빵사 모자를 받는다.",
        running_time: "60분 (인터미션 없음)",
        age_limit: "36개월 이상 관람가",
        design: Design {
            scene: Scene::Meadow,
            palette: colours::SKY,
            face: Face::BLACK,
            genre: "KIDS MUSICAL",
            byline: "함께 노래하는 가족 뮤지컬",
        },
    },
    Show {
        title: "공룡 탐험대 K",
        place: "수원 화성아트홀",
        starts: at(13, 11, 0),
        sale: Sale::OpenSince { days: 16 },
        taken: Taken::Some(30),
        max_per_user: 8,
        grades: &[grade("VIP석", 55_000, 160), grade("R석", 44_000, 360), grade("S석", 33_000, 280)],
        story: "키가 5미터나 되는 공룡 일곱 마리가 객석 사이를 걸어 다닌다. 탐험대장과 함께 \
                화석을 발굴하고 알을 지키는 체험형 공연이다. 고생물학자가 감수한 최신 복원 \
                모습을 볼 수 있다. 큰 소리에 예민한 어린이를 위한 조용한 회차도 운영한다.",
        running_time: "70분 (인터미션 없음)",
        age_limit: "24개월 이상 관람가",
        design: Design {
            scene: Scene::Meadow,
            palette: colours::MINT,
            face: Face::BLACK,
            genre: "KIDS",
            byline: "5미터 공룡이 걸어온다",
        },
    },
    Show {
        title: "그림자 극장: 달을 삼킨 고래",
        place: "서울 강동 아이랑극장",
        starts: at(22, 14, 0),
        sale: Sale::OpensInHours { hours: 8 },
        taken: Taken::Nothing,
        max_per_user: 6,
        grades: &[grade("전석", 28_000, 180)],
        story: "손전등 하나와 종이 인형 이백 개로 펼치는 그림자극. 달을 삼켜 버린 고래를 \
                찾아 밤바다로 떠나는 남매의 모험을 그린다. 공연 뒤에는 아이들이 직접 그림자 \
                인형을 만들어 무대에 올려 본다.",
        running_time: "50분 (체험 20분 별도)",
        age_limit: "36개월 이상 관람가",
        design: Design {
            scene: Scene::Waves,
            palette: colours::MIDNIGHT,
            face: Face::SANS,
            genre: "그림자극",
            byline: "종이 인형 이백 개의 밤바다",
        },
    },
    Show {
        title: "숲속 음악 놀이터",
        place: "세종 호수공원 잔디무대",
        starts: at(-3, 11, 0),
        sale: Sale::OpenSince { days: 35 },
        taken: Taken::Some(18),
        max_per_user: 8,
        grades: &[grade("돗자리석", 12_000, 150)],
        story: "돗자리를 펴고 앉아 동요와 클래식을 함께 듣는 야외 음악회. 나뭇가지와 솔방울로 \
                악기를 만들어 마지막 곡을 다 같이 연주한다. 유아차 구역과 수유 텐트를 \
                마련했다.",
        running_time: "50분 (인터미션 없음)",
        age_limit: "전체 관람가",
        design: Design {
            scene: Scene::Meadow,
            palette: colours::LEMON,
            face: Face::BLACK,
            genre: "KIDS",
            byline: "돗자리 음악회",
        },
    },
    Show {
        title: "그랜드 서커스 유랑",
        place: "서울 상암 빅톱시어터",
        starts: at(31, 19, 0),
        sale: Sale::OpenSince { days: 6 },
        taken: Taken::Some(44),
        max_per_user: 6,
        grades: &[
            grade("VIP석", 160_000, 300),
            grade("R석", 130_000, 800),
            grade("S석", 100_000, 900),
            grade("A석", 70_000, 500),
        ],
        story: "하나의 천막 아래 열두 나라의 곡예사 서른여섯 명이 모였다. 공중그네와 이중 \
                줄타기, 사람의 힘으로만 움직이는 무대 장치가 두 시간 동안 이어진다. 동물은 \
                등장하지 않는다. 전 곡을 7인조 밴드가 라이브로 연주한다.",
        running_time: "125분 (인터미션 25분 포함)",
        age_limit: "5세 이상 관람가",
        design: Design {
            scene: Scene::Sunburst,
            palette: colours::EMBER,
            face: Face::BLACK,
            genre: "CIRCUS",
            byline: "열두 나라의 곡예사들",
        },
    },
    Show {
        title: "네모난 도시, 둥근 사람들",
        place: "서울 한남 그래픽뮤지엄",
        starts: at(24, 10, 0),
        sale: Sale::OpenSince { days: 12 },
        taken: Taken::Some(20),
        max_per_user: 4,
        grades: &[
            grade("일반", 18_000, 1500),
            grade("청소년", 12_000, 500),
            grade("도슨트 포함", 25_000, 60),
        ],
        story: "1960년대 포스터부터 오늘의 화면까지, 한국 그래픽 디자인 60년을 한자리에서 \
                본다. 실제 활판 인쇄기로 나만의 포스터를 찍어 가져갈 수 있다. 예매한 날짜에 \
                한 번 입장하며, 마지막 입장은 오후 5시다.",
        running_time: "관람 약 90분",
        age_limit: "전체 관람가",
        design: Design {
            scene: Scene::Tiles,
            palette: colours::LEMON,
            face: Face::BLACK,
            genre: "EXHIBITION",
            byline: "한국 그래픽 디자인 60년",
        },
    },
    Show {
        title: "빛이 지나간 자리",
        place: "부산 영도 조선소갤러리",
        starts: at(28, 11, 0),
        sale: Sale::OpenSince { days: 10 },
        taken: Taken::Some(12),
        max_per_user: 4,
        grades: &[grade("일반", 15_000, 800), grade("야간 입장", 20_000, 120)],
        story: "멈춘 조선소의 창과 벽을 20년 동안 찍은 건축 사진가 문가람의 회고전. 사진이 \
                걸린 건물이 바로 사진 속 그곳이다. 야간 입장권으로는 해가 진 뒤 작은 등불을 \
                들고 전시를 본다.",
        running_time: "관람 약 70분",
        age_limit: "전체 관람가",
        design: Design {
            scene: Scene::Arches,
            palette: colours::CLAY,
            face: Face::SERIF,
            genre: "사진전",
            byline: "문가람 건축 사진전",
        },
    },
    Show {
        title: "미디어아트: 심해 11,000m",
        place: "서울 DMC 이머시브홀",
        starts: at(9, 13, 0),
        sale: Sale::OpenSince { days: 20 },
        taken: Taken::All,
        max_per_user: 4,
        grades: &[grade("심야 회차", 32_000, 100)],
        story: "사방과 바닥, 천장까지 여섯 면의 영상으로 바다의 가장 깊은 곳까지 내려가는 \
                몰입형 전시. 누워서 보는 40분의 하강과 해양생물학자의 음성 안내로 \
                이루어진다. 이번 심야 회차는 100명만 입장한다.",
        running_time: "60분",
        age_limit: "7세 이상 관람가",
        design: Design {
            scene: Scene::Ribbon,
            palette: colours::SEA,
            face: Face::LIGHT,
            genre: "IMMERSIVE",
            byline: "가장 깊은 곳까지 40분",
        },
    },
    Show {
        title: "코리아 레전드 컵 결승전",
        place: "고양 킨텔 e스타디움",
        starts: at(32, 17, 0),
        sale: Sale::OpensInDays { days: 1, hour: 20 },
        taken: Taken::Nothing,
        max_per_user: 2,
        grades: &[
            grade("프리미엄", 66_000, 800),
            grade("지정석 A", 44_000, 4200),
            grade("지정석 B", 33_000, 5000),
        ],
        story: "정규 시즌 열여섯 팀 가운데 끝까지 살아남은 두 팀이 5전 3선승제로 우승컵을 \
                다툰다. 오프닝 공연과 코스프레 쇼, 은퇴 선수 헌정식이 함께 열린다. 프리미엄 \
                좌석에는 선수 하이파이브 존 입장이 포함된다. 경기 시간은 세트 수에 따라 \
                달라진다.",
        running_time: "약 240분",
        age_limit: "전체 관람가",
        design: Design {
            scene: Scene::Arena,
            palette: colours::STEEL,
            face: Face::BLACK,
            genre: "E-SPORTS",
            byline: "다섯 판, 하나의 우승컵",
        },
    },
    Show {
        title: "격투 게임 마스터즈 서울",
        place: "서울 상암 e플레이홀",
        starts: at(12, 13, 0),
        sale: Sale::OpenSince { days: 9 },
        taken: Taken::Some(22),
        max_per_user: 4,
        grades: &[grade("선수석 뒤", 38_000, 60), grade("일반석", 22_000, 400)],
        story: "예선 512명을 뚫고 올라온 여덟 명이 하루 만에 우승자를 가린다. 더블 \
                엘리미네이션 방식이며, 한국어와 영어로 동시 중계한다. 로비의 자유 대전 기기 \
                스무 대는 누구나 쓸 수 있다.",
        running_time: "약 360분",
        age_limit: "12세 이상 관람가",
        design: Design {
            scene: Scene::Arena,
            palette: colours::EMBER,
            face: Face::BLACK,
            genre: "E-SPORTS",
            byline: "여덟 명의 더블 엘리미네이션",
        },
    },
    Show {
        title: "부산 바다 음악제",
        place: "부산 다대포 해변무대",
        starts: at(36, 17, 0),
        sale: Sale::OpensInDays { days: 2, hour: 14 },
        taken: Taken::Nothing,
        max_per_user: 6,
        grades: &[grade("피크닉석", 44_000, 3000), grade("프런트존", 77_000, 1500)],
        story: "모래 위에 앉아 노을과 함께 듣는 해변 음악제. 인디, 재즈, 시티팝 아홉 팀이 \
                다섯 시간 동안 연주하고, 마지막 곡과 함께 불꽃 대신 2백 개의 연등을 \
                띄운다. 쓰레기를 되가져가는 관객에게 다음 해 할인권을 준다.",
        running_time: "300분",
        age_limit: "전체 관람가",
        design: Design {
            scene: Scene::Waves,
            palette: colours::SEA,
            face: Face::BLACK,
            genre: "FESTIVAL",
            byline: "해 질 녘부터 밤까지",
        },
    },
    Show {
        title: "강릉 커피와 책 축제",
        place: "강릉 경포 솔숲광장",
        starts: at(-30, 10, 0),
        sale: Sale::OpenSince { days: 75 },
        taken: Taken::Some(14),
        max_per_user: 8,
        grades: &[grade("입장권", 8000, 2000), grade("작가와의 밤", 22_000, 80)],
        story: "솔숲에서 커피를 내리고 책을 읽는 이틀의 축제. 동네 로스터 서른 곳과 작은 \
                출판사 쉰 곳이 참여한다. 저녁에는 소설가 세 명이 촛불 아래 낭독회를 연다.",
        running_time: "하루 8시간",
        age_limit: "전체 관람가",
        design: Design {
            scene: Scene::Bloom,
            palette: colours::MINT,
            face: Face::SERIF,
            genre: "FESTIVAL",
            byline: "솔숲에서 이틀",
        },
    },
    Show {
        title: "전통시장 야행",
        place: "통영 서호시장 골목",
        starts: at(18, 18, 0),
        sale: Sale::OpenSince { days: 3 },
        taken: Taken::Some(9),
        max_per_user: 8,
        grades: &[grade("야행 입장권", 10_000, 600), grade("해설사 동행", 25_000, 60)],
        story: "문 닫은 시장 골목에 등불이 켜지면 밤의 잔치가 시작된다. 굴전과 충무김밥을 \
                맛보고, 골목 세 곳에서 벌어지는 남해안 별신굿과 거리극을 만난다. 해설사와 \
                함께 걷는 회차는 스무 명씩 출발한다.",
        running_time: "약 180분",
        age_limit: "전체 관람가",
        design: Design {
            scene: Scene::Bokeh,
            palette: colours::WINE,
            face: Face::SERIF,
            genre: "NIGHT MARKET",
            byline: "등불 켜진 골목의 밤 잔치",
        },
    },
];
